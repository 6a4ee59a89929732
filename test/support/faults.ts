import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

const SIMPLE_QUERY = 'Q'.charCodeAt(0)
const PARSE = 'P'.charCodeAt(0)
const BIND = 'B'.charCodeAt(0)
const BACKEND_KEY_DATA = 'K'.charCodeAt(0)

/** A statement that has left the client and not yet reached PostgreSQL. What follows it waits too. */
export interface HeldStatement {
  readonly text: string
  /** The backend that would run it. */
  readonly backendPid: number
  /** Lets it go on, and everything behind it. */
  pass(): void
  /** Ends the connection on both sides: PostgreSQL never sees the statement. */
  cut(): void
  /** Ends the client's side alone: a later `pass` still brings the statement to PostgreSQL. */
  orphan(): void
  /** Neither side hears of the other again, nor that the other is gone. */
  silence(): void
  /** Lets PostgreSQL run the COMMIT, keeps its answer back, and then does `after`. */
  loseAnswer(after: 'cut' | 'silence'): Promise<void>
}

interface Expectation {
  readonly pattern: RegExp
  readonly reached: (statement: HeldStatement) => void
}

/** Stands between a store and PostgreSQL, and can do to their connections what networks do. */
export class FaultyProxy {
  readonly #server: Server
  readonly #links = new Set<Link>()
  readonly #expected: Expectation[] = []
  #target: URL
  #refusing = false
  #refusals = 0

  private constructor(server: Server, target: URL) {
    this.#server = server
    this.#target = target
    server.on('connection', (socket) => this.#accept(socket))
  }

  static async start(targetUrl: string): Promise<FaultyProxy> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new FaultyProxy(server, new URL(targetUrl))
  }

  /** The database, by way of this proxy. */
  get url(): string {
    const url = new URL(this.#target)
    url.hostname = '127.0.0.1'
    url.port = `${(this.#server.address() as AddressInfo).port}`
    return url.href
  }

  /** Sends new connections to another server. */
  aimAt(targetUrl: string): void {
    this.#target = new URL(targetUrl)
  }

  /** Drops new connections until told otherwise; those that stand go on. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing
  }

  /** Ends the connections that stand. */
  cut(): void {
    for (const link of this.#links) link.cut()
  }

  /** Connections dropped so far. */
  get refusals(): number {
    return this.#refusals
  }

  /** Resolves when a statement that matches has left the client, and holds it there. */
  hold(pattern: RegExp): Promise<HeldStatement> {
    return new Promise((reached) => this.#expected.push({ pattern, reached }))
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(client: Socket): void {
    if (this.#refusing) {
      this.#refusals += 1
      client.on('error', () => undefined).resetAndDestroy()
      return
    }
    const server = connect(Number(this.#target.port), this.#target.hostname)
    const link = new Link(client, server, (text) => this.#expectation(text))
    this.#links.add(link)
    server.once('close', () => this.#links.delete(link))
  }

  #expectation(text: string): Expectation | undefined {
    const index = this.#expected.findIndex(({ pattern }) => pattern.test(text))
    return index === -1 ? undefined : this.#expected.splice(index, 1)[0]
  }
}

/** One client's connection and the server's that belongs to it. */
class Link {
  readonly #client: Socket
  readonly #server: Socket
  readonly #expectation: (text: string) => Expectation | undefined
  readonly #prepared = new Map<string, string>()
  #fromClient = Buffer.alloc(0)
  #fromServer = Buffer.alloc(0)
  #started = false
  #mode: 'open' | 'held' | 'losing' | 'silent' = 'open'
  #backendPid = 0
  #answered: (() => void) | undefined

  constructor(
    client: Socket,
    server: Socket,
    expectation: (text: string) => Expectation | undefined,
  ) {
    this.#client = client.setNoDelay()
    this.#server = server.setNoDelay()
    this.#expectation = expectation
    client.on('error', () => undefined).on('data', (data: Buffer) => this.#onClientData(data))
    server.on('error', () => undefined).on('data', (data: Buffer) => this.#onServerData(data))
    client.once('close', () => this.#mode === 'silent' || server.destroy())
    server.once('close', () => this.#mode === 'silent' || client.destroy())
  }

  cut(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  #onClientData(data: Buffer): void {
    this.#fromClient = Buffer.concat([this.#fromClient, data])
    if (this.#mode === 'open') this.#forward()
  }

  /** Whole messages up to the first that is to be held. */
  #forward(): void {
    let end = 0
    for (;;) {
      const start = this.#started ? end + 1 : end
      if (this.#fromClient.length < start + 4) break
      const next = start + this.#fromClient.readInt32BE(start)
      if (this.#fromClient.length < next) break
      const text = this.#started
        ? this.#statementOf(this.#fromClient.subarray(end, next))
        : undefined
      const expectation = text === undefined ? undefined : this.#expectation(text)
      if (text !== undefined && expectation !== undefined) {
        this.#mode = 'held'
        queueMicrotask(() => expectation.reached(this.#held(text)))
        break
      }
      this.#started = true
      end = next
    }
    if (end > 0) this.#server.write(this.#fromClient.subarray(0, end))
    this.#fromClient = this.#fromClient.subarray(end)
  }

  /** The SQL of a message that runs any: a prepared statement is parsed once, and meant each time it is bound. */
  #statementOf(message: Buffer): string | undefined {
    const body = message.subarray(5)
    if (message[0] === SIMPLE_QUERY) return textUntilZero(body)
    const first = textUntilZero(body)
    const second = textUntilZero(body.subarray(body.indexOf(0) + 1))
    if (message[0] === BIND) return second === '' ? undefined : this.#prepared.get(second)
    if (message[0] !== PARSE || first === '') return message[0] === PARSE ? second : undefined
    this.#prepared.set(first, second)
    return undefined
  }

  #held(text: string): HeldStatement {
    return {
      text,
      backendPid: this.#backendPid,
      pass: () => {
        this.#mode = 'open'
        this.#release()
      },
      cut: () => this.cut(),
      orphan: () => {
        this.#mode = 'silent'
        this.#client.destroy()
      },
      silence: () => {
        this.#mode = 'silent'
      },
      loseAnswer: async (after) => {
        const answered = new Promise<void>((resolve) => (this.#answered = resolve))
        this.#mode = 'losing'
        this.#fromServer = Buffer.alloc(0)
        this.#release()
        await answered
        this.#mode = 'silent'
        if (after === 'cut') this.cut()
      },
    }
  }

  #release(): void {
    this.#server.write(this.#fromClient)
    this.#fromClient = Buffer.alloc(0)
  }

  #onServerData(data: Buffer): void {
    if (this.#mode === 'silent') return
    if (this.#mode === 'losing') {
      this.#fromServer = Buffer.concat([this.#fromServer, data])
      if (this.#fromServer.includes('COMMIT\0')) this.#answered?.()
      return
    }
    if (this.#backendPid === 0) this.#findBackendPid(data)
    this.#client.write(data)
  }

  #findBackendPid(data: Buffer): void {
    this.#fromServer = Buffer.concat([this.#fromServer, data])
    let offset = 0
    while (this.#fromServer.length >= offset + 9) {
      if (this.#fromServer[offset] === BACKEND_KEY_DATA) {
        this.#backendPid = this.#fromServer.readInt32BE(offset + 5)
      }
      offset += 1 + this.#fromServer.readInt32BE(offset + 1)
    }
  }
}

function textUntilZero(bytes: Buffer): string {
  return bytes.toString('utf8', 0, bytes.indexOf(0))
}
