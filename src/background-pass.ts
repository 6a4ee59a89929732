import type { Telemetry } from './app/ports.ts'
import type { Opened } from './opened.ts'

/** Work that is done again and again, at most once at a time. */
export interface BackgroundPass {
  /** Settles with the first pass, whatever became of it. */
  readonly first: Promise<void>
  /** There is something to do: the next pass comes soon, once for any number of calls. */
  wake(): void
  /** Waits for the pass under way; there is none after it. */
  stop(): Promise<void>
}

/** Starts a pass that ends with the service, and reports its failures under its name. */
export type StartPass = (
  name: string,
  intervalMs: number,
  pass: () => Promise<void>,
) => BackgroundPass

/** Whoever is woken again and again has some rest all the same. */
const REST_MS_MIN = 100

/** Starts the first pass now, and each other `intervalMs` after the one before has ended, failed or not. */
export function startBackgroundPass(
  intervalMs: number,
  pass: () => Promise<void>,
  onFailure: (error: unknown) => void,
): BackgroundPass {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let isWoken = false
  const run = async (): Promise<void> => {
    timer = undefined
    isWoken = false
    try {
      await pass()
    } catch (error) {
      onFailure(error)
    }
    if (!isStopped) rest()
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
      if (isWoken || isStopped) return
      isWoken = true
      // While a pass is under way its end sees to it.
      if (timer !== undefined) rest()
    },
    async stop() {
      isStopped = true
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
