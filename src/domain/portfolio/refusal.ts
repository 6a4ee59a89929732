import { decimalText, type Decimal } from '../decimal.ts'
import { PortfolioError, type Violation } from '../errors.ts'
import { rfc3339 } from '../time.ts'
import { compareEntries, type LedgerEntry } from './transaction.ts'

/**
 * Why an entry cannot follow what is held: more leaves than there is (decision 4), the lots must be named, or a
 * short position would be covered at an unknown cost.
 */
export interface FoldRefusal {
  readonly reason: 'INSUFFICIENT_QUANTITY' | 'LOTS_REQUIRED' | 'LOT_NOT_OPEN' | 'BASIS_UNKNOWN'
  readonly entry: LedgerEntry
  readonly held: Decimal
  /** Instruments that are folded with the entry's own: what was added to any of them may be to blame. */
  readonly linked?: ReadonlySet<string>
}

/**
 * The error of a recorded ledger, or of what was known of it once, that does not fold. Only another lot method can
 * have left a lot closed that an entry names which was taken back before the method was chosen.
 */
export function notFoldable({ reason, entry }: FoldRefusal): Error {
  const message = `ledger entry ${entry.sequence} does not fold: ${reason}`
  return reason === 'LOT_NOT_OPEN' ? new PortfolioError(reason, message) : new Error(message)
}

/** The error of a request whose `entries` cannot be folded: one violation for each instrument. */
export function refusalError(
  refusals: readonly FoldRefusal[],
  entries: readonly LedgerEntry[],
  positions?: readonly number[],
): PortfolioError {
  const described = refusals
    .map((refusal) => {
      const place = blamedIndex(refusal, entries)
      return { refusal, index: positions?.[place] ?? place }
    })
    .toSorted((left, right) => left.index - right.index)
  const [first] = described
  if (first === undefined) throw new Error('a refusal needs a reason')
  const violations = described.map(({ refusal, index }): Violation => ({
    field: `transactions[${index}]`,
    reason: refusal.reason,
    description: describeRefusal(refusal),
  }))
  const { entry, held, reason } = first.refusal
  return new PortfolioError(
    reason,
    `transactions[${first.index}]: ${describeRefusal(first.refusal)}`,
    {
      violations,
      metadata: {
        symbol: entry.instrumentId,
        index: String(first.index),
        held: decimalText(held),
        needed: decimalText(entry.quantity),
        at: rfc3339(entry.effectiveAt),
      },
    },
  )
}

function describeRefusal({ reason, entry, held }: FoldRefusal): string {
  const at = rfc3339(entry.effectiveAt)
  switch (reason) {
    case 'INSUFFICIENT_QUANTITY':
      return `${entry.instrumentId}: ${decimalText(entry.quantity)} needed at ${at}, ${decimalText(held)} held`
    case 'LOTS_REQUIRED':
      return `${entry.instrumentId}: the sale at ${at} must name its lots`
    case 'LOT_NOT_OPEN':
      return `${entry.instrumentId}: a lot named by the transaction at ${at} does not have that many open units`
    case 'BASIS_UNKNOWN':
      return `${entry.instrumentId}: units of unknown cost cannot cover the short position at ${at}`
  }
}

/** The request's transaction to blame: itself, or the latest earlier one of that symbol when a recorded one fails. */
function blamedIndex(refusal: FoldRefusal, entries: readonly LedgerEntry[]): number {
  const own = entries.findIndex(({ sequence }) => sequence === refusal.entry.sequence)
  if (own !== -1) return own
  let blamed = -1
  let blamedPlace: LedgerEntry | undefined
  for (const [index, entry] of entries.entries()) {
    const place = placeOf(entry)
    const isOwn = entry.instrumentId === refusal.entry.instrumentId
    if (!isOwn && !refusal.linked?.has(entry.instrumentId)) continue
    if (compareEntries(place, refusal.entry) > 0) continue
    if (blamedPlace !== undefined && compareEntries(place, blamedPlace) < 0) continue
    blamed = index
    blamedPlace = place
  }
  if (blamed === -1) throw new Error('a recorded ledger does not fold')
  return blamed
}

/** A reversal acts where what it takes back stood. */
function placeOf(entry: LedgerEntry): LedgerEntry {
  const sequence = entry.terms?.reverses?.sequence
  return sequence === undefined ? entry : { ...entry, sequence }
}
