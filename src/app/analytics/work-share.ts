/** Work in the background takes this part of the time: whoever waits for an answer comes first. */
const SHARE = 0.2
/** However long a piece of work took, its lease is not kept for much longer. */
const REST_MS_MAX = 2_000

/** How long to rest after work of so many milliseconds. */
export function restMsAfter(workedMs: number): number {
  return Math.min(REST_MS_MAX, workedMs * (1 / SHARE - 1))
}

/** Settles after the time, or as soon as the signal says so. */
export async function rest(timeMs: number, signal: AbortSignal): Promise<void> {
  if (timeMs <= 0 || signal.aborted) return
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, timeMs)
    signal.addEventListener('abort', end)
  })
}
