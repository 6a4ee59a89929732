/** Work that is done again and again, at most once at a time. */
export interface BackgroundPass {
  /** Settles with the first pass, whatever became of it. */
  readonly first: Promise<void>
  /** Waits for the pass under way; there is none after it. */
  stop(): Promise<void>
}

/** Starts the first pass now, and each other `intervalMs` after the one before has ended, failed or not. */
export function startBackgroundPass(
  intervalMs: number,
  pass: () => Promise<void>,
  onFailure: (error: unknown) => void,
): BackgroundPass {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  const run = async (): Promise<void> => {
    try {
      await pass()
    } catch (error) {
      onFailure(error)
    }
    if (isStopped) return
    timer = setTimeout(() => {
      current = run()
    }, intervalMs)
  }
  const first = run()
  let current = first
  return {
    first,
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await current
    },
  }
}
