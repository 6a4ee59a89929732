/** What was opened, closed in reverse: also what stands when a later step fails. */
export class Opened {
  readonly #closers: ((drainTimeoutMs: number) => Promise<void>)[] = []

  add(close: (drainTimeoutMs: number) => Promise<void>): void {
    this.#closers.push(close)
  }

  /** Closes everything, and then fails with the first failure, if there was one. */
  async close(drainTimeoutMs: number): Promise<void> {
    const failures: unknown[] = []
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      await close(drainTimeoutMs).catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw new Error('not all could be closed', { cause: failures[0] })
  }
}
