import type { Telemetry } from './app/ports.ts'
import type { Opened } from './opened.ts'

/** Work that is done again and again, at most once at a time. */
export interface BackgroundPass {
  /** Settles with the first pass, whatever became of it. */
  readonly first: Promise<void>
  /** There is something to do: the next pass comes soon, once for any number of calls. */
  wake(): void
  /** Tells the pass under way to come to an end and waits for it; there is none after it. */
  stop(): Promise<void>
}

/** What a pass does; one that goes on for long ends early, with its work in order, when the signal says so. */
export type Pass = (signal: AbortSignal) => Promise<void>

/** Starts a pass that ends with the service, and reports its failures under its name. */
export type StartPass = (name: string, intervalMs: number, pass: Pass) => BackgroundPass

/** Whoever is woken again and again has some rest all the same. */
const REST_MS_MIN = 100

/** Starts the first pass now, and each other `intervalMs` after the one before has ended, failed or not. */
export function startBackgroundPass(
  intervalMs: number,
  pass: Pass,
  onFailure: (error: unknown) => void,
): BackgroundPass {
  let timer: NodeJS.Timeout | undefined
  const stopping = new AbortController()
  const { signal } = stopping
  let isWoken = false
  const run = async (): Promise<void> => {
    timer = undefined
    isWoken = false
    try {
      await pass(signal)
    } catch (error) {
      onFailure(error)
    }
    if (!signal.aborted) rest()
  }
  const rest = (): void => {
    clearTimeout(timer)
    const restMs = isWoken ? Math.min(REST_MS_MIN, intervalMs) : intervalMs
    timer = setTimeout(() => {
      current = run()
    }, restMs)
  }
  const first = run()
  let current = first
  return {
    first,
    wake() {
      if (isWoken || signal.aborted) return
      isWoken = true
      // While a pass is under way its end sees to it.
      if (timer !== undefined) rest()
    },
    async stop() {
      stopping.abort()
      clearTimeout(timer)
      await current
    },
  }
}

/** Starts passes that tell of their failures and end with what was opened. */
export function passStarter(opened: Opened, telemetry: Telemetry): StartPass {
  return (name, intervalMs, pass) => {
    const started = startBackgroundPass(intervalMs, pass, (error) =>
      telemetry.backgroundFailed(name, error),
    )
    opened.add(() => started.stop())
    return started
  }
}
