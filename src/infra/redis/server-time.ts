/** How far two clocks can drift apart between two looks at the server's. */
const DRIFT_MS = 10
const MICROSECONDS_PER_MS = 1_000

/** A moment on the clock of one run of the Redis server: what replicas can compare without trusting their own clocks. */
export interface Mark {
  /** Which run of the server. */
  readonly run: string
  readonly microseconds: number
}

/**
 * Translates between this process's monotonic clock and the server's, from a look at the latter that lies between two
 * moments of the former. Both directions err towards the past: nothing is ever taken for newer than it is.
 */
export class ServerTime {
  readonly #look: {
    readonly server: Mark
    readonly sentMs: number
    readonly receivedMs: number
  }

  constructor(look: {
    readonly server: Mark
    readonly sentMs: number
    readonly receivedMs: number
  }) {
    this.#look = look
  }

  markOf(monotonicMs: number): Mark {
    const { server, receivedMs } = this.#look
    const offset = Math.floor((monotonicMs - receivedMs) * MICROSECONDS_PER_MS)
    const microseconds = Math.max(0, server.microseconds + offset)
    return { run: server.run, microseconds }
  }

  /** Minus infinity for a mark of another run, and for one of the future: then the server's clock was set back. */
  momentOf({ run, microseconds }: Mark, nowMs: number): number {
    const { server, sentMs } = this.#look
    if (run !== server.run) return Number.NEGATIVE_INFINITY
    const momentMs = sentMs - (server.microseconds - microseconds) / MICROSECONDS_PER_MS
    return momentMs > nowMs + DRIFT_MS ? Number.NEGATIVE_INFINITY : momentMs - DRIFT_MS
  }
}

/** Reads the answer to INFO server; undefined when it does not say both its run and its time. */
export function readServerInfo(info: string): Mark | undefined {
  const run = /^run_id:([0-9a-f]{8,})/m.exec(info)?.[1]
  const microseconds = /^server_time_usec:(\d{1,16})/m.exec(info)?.[1]
  if (run === undefined || microseconds === undefined) return undefined
  return { run, microseconds: Number(microseconds) }
}
