import type { PackedLedger } from '../../domain/analytics/ledger-numbers.ts'

/** Some 60 bytes each. */
const ENTRIES_MAX = 1_000_000

/** Ledgers as numbers, the ones asked for last; used for their very version alone. */
export class LedgerCache {
  readonly #ledgers = new Map<string, PackedLedger>()
  readonly #entriesMax: number
  #entries = 0

  constructor(entriesMax = ENTRIES_MAX) {
    this.#entriesMax = entriesMax
  }

  get(userId: string, version: number): PackedLedger | undefined {
    const kept = this.#ledgers.get(userId)
    if (kept?.version !== version) return undefined
    this.#ledgers.delete(userId)
    this.#ledgers.set(userId, kept)
    return kept
  }

  put(ledger: PackedLedger): void {
    const kept = this.#ledgers.get(ledger.userId)
    if (kept !== undefined) this.#drop(kept)
    this.#ledgers.set(ledger.userId, ledger)
    this.#entries += sizeOf(ledger)
    for (const oldest of this.#ledgers.values()) {
      if (this.#entries <= this.#entriesMax) break
      this.#drop(oldest)
    }
  }

  #drop(ledger: PackedLedger): void {
    this.#ledgers.delete(ledger.userId)
    this.#entries -= sizeOf(ledger)
  }
}

function sizeOf({ numbers }: PackedLedger): number {
  return 1 + numbers.days.length
}
