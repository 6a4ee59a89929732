import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach } from '@jest/globals'
import type { Service } from '../../src/service.ts'
import { waitUntil } from './store.ts'

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
const CRASHES = new URL('fixtures/crash-on-signal.ts', import.meta.url)

export interface LogLine {
  readonly level: string
  readonly msg: string
  readonly err?: {
    readonly message: string
    readonly stack: string
    readonly cause?: { readonly message: string }
  }
  readonly ports?: Service['ports']
}

const running = new Set<ChildProcess>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})

/** The service as an operator starts it, from its sources; what a test leaves running is killed after it. */
export class MainProcess {
  /** What it logged, in order. */
  readonly log: LogLine[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<number | null>
  #errors = ''

  constructor(environment: Readonly<Record<string, string>>) {
    const node = ['--import', 'tsx', '--import', CRASHES.href, 'src/main.ts']
    const child = spawn(process.execPath, node, {
      cwd: CHECKOUT,
      env: {
        PATH: process.env['PATH'],
        GRPC_PORT: '0',
        HTTP_PORT: '0',
        METRICS_PORT: '0',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    running.add(child)
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text))
    this.#ended = new Promise((resolve) => {
      child.on('close', (code) => {
        running.delete(child)
        resolve(code)
      })
    })
  }

  /** What it said on standard error. */
  get errors(): string {
    return this.#errors
  }

  /** The ports it listens on; fails with what it said when it ends instead. */
  async ready(): Promise<Service['ports']> {
    const { ports } = await this.logged('ready')
    return ports!
  }

  /** The first line with a message, once it is there. */
  async logged(message: string): Promise<LogLine> {
    const find = (): LogLine | undefined => this.log.find(({ msg }) => msg === message)
    await waitUntil(() => find() !== undefined || !running.has(this.#child))
    const line = find()
    if (line === undefined) throw new Error(`it ended: ${JSON.stringify(this.log)} ${this.#errors}`)
    return line
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Its exit code; null = it was killed. */
  ended(): Promise<number | null> {
    return this.#ended
  }
}
