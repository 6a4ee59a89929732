import { Decimal } from '../../../../src/domain/decimal.ts'
import type { PortfolioSettings } from '../../../../src/domain/portfolio/state.ts'
import type { LedgerEntry } from '../../../../src/domain/portfolio/transaction.ts'

/** Wide enough that the model never rounds what the domain rounds. */
const Wide = Decimal.clone({ precision: 200 })

interface Unit {
  readonly lot: LedgerEntry
  readonly short: boolean
  /** What was paid, or for a short unit received, for this one; null = unknown. */
  cost: Decimal | null
}

/**
 * A book kept as a list of single units, each of a tenth, one by one: slow, and without any of the domain's
 * arithmetic of lots. Entries have to be whole tenths.
 */
export class NaiveBook {
  units: Unit[] = []
  readonly realized = new Map<string, Decimal>()
  readonly capital = new Map<string, Decimal>()
  readonly #rules: Pick<PortfolioSettings, 'lotMethod' | 'allowShort'>

  constructor(rules: Pick<PortfolioSettings, 'lotMethod' | 'allowShort'>) {
    this.#rules = rules
  }

  /** Applies the entry, or says why not and changes nothing. */
  apply(entry: LedgerEntry): string | undefined {
    const count = entry.quantity.times(10).toNumber()
    const leaves = entry.type === 'SELL' || entry.type === 'TRANSFER_OUT'
    const closable = this.units.filter(
      ({ lot, short }) =>
        short !== leaves && (entry.accountId === '' || entry.accountId === lot.accountId),
    )
    const refusal = leaves
      ? this.#refuseLeaving(entry, closable, count)
      : this.#refuseArriving(entry, closable, count)
    if (refusal !== undefined) return refusal

    const closing = Math.min(count, closable.length)
    this.#close(entry, closable, closing)
    const cost = isUnknown(entry) ? null : new Wide(entry.price).dividedBy(10)
    for (let opened = closing; opened < count; opened += 1) {
      this.units.push({ lot: entry, short: leaves, cost })
    }
    if (!leaves && cost !== null) add(this.capital, entry.accountId, cost.times(count))
    return undefined
  }

  sum(accountId: string): Record<'quantity' | 'unknownQuantity' | 'basis', Decimal> {
    const [zero, tenth] = [new Wide(0), new Wide('0.1')]
    const sums = { quantity: zero, unknownQuantity: zero, basis: zero }
    for (const { lot, short, cost } of this.units) {
      if (lot.accountId !== accountId) continue
      const sign = short ? -1 : 1
      sums.quantity = sums.quantity.plus(tenth.times(sign))
      if (cost === null) sums.unknownQuantity = sums.unknownQuantity.plus(tenth.times(sign))
      else sums.basis = sums.basis.plus(cost.times(sign))
    }
    return sums
  }

  #refuseLeaving(entry: LedgerEntry, closable: readonly Unit[], count: number) {
    const mayOpen = this.#rules.allowShort && entry.type === 'SELL'
    if (closable.length < count && !mayOpen) return 'INSUFFICIENT_QUANTITY'
    return entry.type === 'SELL' ? this.#refuseUnnamed(closable, count) : undefined
  }

  #refuseArriving(entry: LedgerEntry, closable: readonly Unit[], count: number) {
    if (isUnknown(entry)) return closable.length > 0 ? 'BASIS_UNKNOWN' : undefined
    return this.#refuseUnnamed(closable, count)
  }

  #refuseUnnamed(closable: readonly Unit[], count: number) {
    const lots = new Set(closable.map(({ lot }) => lot))
    const choice = this.#rules.lotMethod === 'SPECIFIC_ID' && lots.size > 1
    return choice && count < closable.length ? 'LOTS_REQUIRED' : undefined
  }

  #close(entry: LedgerEntry, closable: readonly Unit[], count: number): void {
    if (count === 0) return
    if (this.#rules.lotMethod === 'AVERAGE_COST') average(closable)
    const taken = new Set(this.#inOrder(entry, closable).slice(0, count))
    this.units = this.units.filter((unit) => !taken.has(unit))
    for (const { lot, short, cost } of taken) {
      if (cost === null) continue
      if (entry.type === 'TRANSFER_OUT') add(this.capital, lot.accountId, cost.negated())
      else {
        const gain = new Wide(entry.price).dividedBy(10).minus(cost)
        add(this.realized, lot.accountId, short ? gain.negated() : gain)
      }
    }
  }

  #inOrder(entry: LedgerEntry, closable: readonly Unit[]): readonly Unit[] {
    const oldest = closable.toSorted(
      ({ lot: left }, { lot: right }) =>
        left.effectiveAt - right.effectiveAt || left.sequence - right.sequence,
    )
    const { lotMethod } = this.#rules
    if (entry.type === 'TRANSFER_OUT') return oldest
    if (lotMethod === 'LIFO') return oldest.toReversed()
    if (lotMethod === 'HIFO') return oldest.toSorted((left, right) => compareCosts(right, left))
    return lotMethod === 'LOFO' ? oldest.toSorted(compareCosts) : oldest
  }
}

function isUnknown(entry: LedgerEntry): boolean {
  return entry.type === 'TRANSFER_IN' && entry.price.isZero()
}

function compareCosts(left: Unit, right: Unit): number {
  return (left.cost ?? new Wide(0)).comparedTo(right.cost ?? new Wide(0))
}

/** Every unit of an account costs the mean of those whose cost is known. */
function average(units: readonly Unit[]): void {
  for (const accountId of new Set(units.map(({ lot }) => lot.accountId))) {
    const known = units.filter(({ lot, cost }) => lot.accountId === accountId && cost !== null)
    let total = new Wide(0)
    for (const { cost } of known) total = total.plus(cost ?? 0)
    for (const unit of known) unit.cost = total.dividedBy(known.length)
  }
}

function add(amounts: Map<string, Decimal>, accountId: string, amount: Decimal): void {
  amounts.set(accountId, (amounts.get(accountId) ?? new Wide(0)).plus(amount))
}
