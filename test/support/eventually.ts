import { setTimeout as delay } from 'node:timers/promises'

const PATIENCE_MS = 15_000
const PAUSE_MS = 50

/** Tries an expectation until it holds; fails with its last failure when it never does. */
export async function eventually(expectation: () => void | Promise<void>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await expectation()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await delay(PAUSE_MS)
    }
  }
}
