import { type ChildProcess, spawn } from 'node:child_process'
import { afterEach } from '@jest/globals'

const children = new Set<ChildProcess>()
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
})

export interface Ended {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

/** Runs a command as an operator does; `onErrors` sees its standard error as it comes. */
export async function runCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  onErrors?: (errors: string, child: ChildProcess) => void,
): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli.ts', ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
    onErrors?.(errors, child)
  })
  const code = await new Promise<number | null>((resolve) => {
    child.on('close', resolve)
  })
  children.delete(child)
  return { code, output, errors }
}
