import { type CloseMatrix, closeOf, lastClose } from './close-matrix.ts'
import type { EpochDay } from './epoch-day.ts'
import { entryKinds, type LedgerNumbers, UNITS_ROUNDING } from './ledger-numbers.ts'
import { Rows } from './series-rows.ts'
import type { ValuationSeries } from './valuation-series.ts'

/** Which charges count as a loss; the others are as if paid out (decision 30). */
export interface CountedCharges {
  readonly fees: boolean
  readonly taxes: boolean
}

/** What the daily values of a portfolio are made of. Rows are places in the matrix, -1 = none. */
export interface ValuedLedger {
  readonly numbers: LedgerNumbers
  readonly matrix: CloseMatrix
  /** Row of each instrument's closes. */
  readonly priceRows: Int32Array
  /** Row of the rate from each instrument's currency to the reporting one; SAME_CURRENCY = one for one. */
  readonly priceRates: Int32Array
  /** The same from the base currency. */
  readonly baseRate: number
  /** The same from each currency of cash. */
  readonly cashRates: Int32Array
  /** Which series each instrument is part of; -1 = of the whole alone. */
  readonly groups: Int32Array
  /** The same of cash. */
  readonly cashGroup: number
  readonly groupCount: number
}

export const SAME_CURRENCY = -1
/** No row has the rate: the value is unknown. */
export const NO_RATE = -2

export interface ValuedDays {
  readonly whole: ValuationSeries
  /** One for each group, with the rows of the whole. */
  readonly groups: readonly ValuationSeries[]
  /** Value of each instrument at the end; NaN = it has no price. */
  readonly endValues: Float64Array
  readonly endQuantities: Float64Array
  readonly endCash: number
}

/**
 * Values a portfolio at the close of each day on which something held has a quote or something happened, from the
 * evening before `fromDay` to `toDay`. A holding without a quote so far is worth its last trade's price (decision
 * 36). `shouldStop` is asked once a day; undefined when it said so.
 */
export function valueDays(
  ledger: ValuedLedger,
  period: {
    readonly fromDay: EpochDay
    readonly toDay: EpochDay
    readonly counted: CountedCharges
  },
  shouldStop: () => boolean,
): ValuedDays | undefined {
  const first = ledger.numbers.days[0] ?? period.toDay
  const start = Math.min(Math.max(first, period.fromDay - 1), period.toDay)
  const walk = new DayWalk(ledger, period.counted, Math.max(period.toDay - start + 1, 1))
  walk.skipUntil(start)
  for (let day = start; day <= period.toDay; day += 1) {
    if (shouldStop()) return undefined
    walk.close(day, day === start || day === period.toDay)
  }
  return walk.finish()
}

class DayWalk {
  readonly #ledger: ValuedLedger
  readonly #counted: CountedCharges
  readonly #quantities: Float64Array
  /** Last close of what is held, in its own currency. */
  readonly #closes: Float64Array
  /** 1 while each day's close is looked at; else the last one has to be looked for. */
  readonly #isFollowed: Uint8Array
  /** Last trade's price, in the base currency. */
  readonly #trades: Float64Array
  readonly #balances: Float64Array
  readonly #days: Int32Array
  readonly #whole: Rows
  readonly #groups: Rows[]
  readonly #endValues: Float64Array
  #next = 0
  #row = 0
  #endCash = 0

  constructor(ledger: ValuedLedger, counted: CountedCharges, size: number) {
    this.#ledger = ledger
    this.#counted = counted
    const parts = ledger.priceRows.length
    this.#quantities = new Float64Array(parts)
    this.#closes = new Float64Array(parts).fill(NaN)
    this.#isFollowed = new Uint8Array(parts)
    this.#trades = new Float64Array(parts).fill(NaN)
    this.#endValues = new Float64Array(parts)
    this.#balances = new Float64Array(ledger.cashRates.length)
    this.#days = new Int32Array(size)
    this.#whole = new Rows(size)
    this.#groups = Array.from({ length: ledger.groupCount }, () => new Rows(size))
  }

  /** Takes in what happened before a day; its flows only tell that there were some. */
  skipUntil(day: EpochDay): void {
    const { days, cash } = this.#ledger.numbers
    while (this.#next < days.length && (days[this.#next] ?? day) < day) {
      this.#move(this.#next)
      this.#whole.flow(0, Math.abs(cash[this.#next] ?? 0))
      this.#next += 1
    }
  }

  /** Adds the row of a day, if it is one. */
  close(day: EpochDay, isNeeded: boolean): void {
    const moved = this.#takeIn(day)
    const observed = this.#value(day)
    if (!moved && !observed && !isNeeded) return
    this.#days[this.#row] = day
    this.#row += 1
  }

  finish(): ValuedDays {
    return {
      whole: this.#whole.series(this.#days, this.#row),
      groups: this.#groups.map((rows) => rows.series(this.#days, this.#row)),
      endValues: this.#endValues,
      endQuantities: this.#quantities,
      endCash: this.#endCash,
    }
  }

  #takeIn(day: EpochDay): boolean {
    const { days } = this.#ledger.numbers
    const from = this.#next
    while (this.#next < days.length && (days[this.#next] ?? day) <= day) {
      this.#move(this.#next)
      this.#next += 1
    }
    for (let entry = from; entry < this.#next; entry += 1) {
      if (this.#ledger.numbers.kinds[entry] === entryKinds.PASSED) this.#pass(entry, day)
      else this.#flow(entry, day)
    }
    return this.#next > from
  }

  #move(entry: number): void {
    const { parts, quantities, tracked, cashAmounts, cashCurrencies, prices } = this.#ledger.numbers
    const part = parts[entry] ?? -1
    if (part >= 0) {
      const change = quantities[entry] ?? 0
      const after = (this.#quantities[part] ?? 0) + change
      this.#quantities[part] = Math.abs(after) < UNITS_ROUNDING * Math.abs(change) ? 0 : after
      const price = prices[entry] ?? NaN
      if (!Number.isNaN(price)) this.#trades[part] = price
    }
    if (tracked[entry] !== 1) return
    const currency = cashCurrencies[entry] ?? 0
    this.#balances[currency] = (this.#balances[currency] ?? 0) + (cashAmounts[entry] ?? 0)
  }

  #flow(entry: number, day: EpochDay): void {
    const { numbers, groups, cashGroup } = this.#ledger
    const part = numbers.parts[entry] ?? -1
    const rate = this.#rate(this.#ledger.baseRate, day)
    const isTracked = numbers.tracked[entry] === 1
    const left = this.#uncounted(entry) * rate
    const cash = (numbers.cash[entry] ?? 0) * rate
    const group = part < 0 ? cashGroup : (groups[part] ?? -1)
    switch (Number(numbers.kinds[entry])) {
      case entryKinds.TRANSFER: {
        const worth = this.#unitValue(part, day) * (numbers.quantities[entry] ?? 0)
        this.#flowOf(group, worth - left)
        // A charge of the transfer is paid from cash, or from outside.
        if (cash !== 0) this.#pay(group, { amount: -cash, left: 0, isTracked })
        return
      }
      case entryKinds.CASH_FLOW:
        this.#flowOf(group, cash - left)
        return
      case entryKinds.PAID:
        // What cash earns and pays stays in it.
        this.#pay(group, { amount: part < 0 && isTracked ? 0 : -cash, left, isTracked })
        return
      default:
    }
  }

  /** Money that a holding takes from cash, or from outside where cash is not tracked; `left` is as if paid out. */
  #pay(
    group: number,
    { amount, left, isTracked }: { amount: number; left: number; isTracked: boolean },
  ): void {
    this.#book(group, amount - left)
    if (isTracked) this.#book(this.#ledger.cashGroup, -amount)
    this.#whole.flow(this.#row, isTracked ? -left : amount - left)
  }

  /** What one holding gives to another is a flow of each, and none of the whole. */
  #pass(entry: number, day: EpochDay): void {
    const { numbers, groups } = this.#ledger
    const part = numbers.parts[entry] ?? -1
    const [from, to] = [groups[numbers.parts[entry - 1] ?? -1] ?? -1, groups[part] ?? -1]
    if (from === to) return
    const worth = this.#unitValue(part, day) * (numbers.quantities[entry] ?? 0)
    this.#book(from, -worth)
    this.#book(to, worth)
  }

  #flowOf(group: number, amount: number): void {
    this.#book(group, amount)
    this.#whole.flow(this.#row, amount)
  }

  #book(group: number, amount: number): void {
    this.#groups[group]?.flow(this.#row, amount)
  }

  #uncounted(entry: number): number {
    const { fees, taxes } = this.#ledger.numbers
    const counted = this.#counted
    return (counted.fees ? 0 : (fees[entry] ?? 0)) + (counted.taxes ? 0 : (taxes[entry] ?? 0))
  }

  /**
   * Values everything at the close of a day in the present row; true when something held has a quote of it. What the
   * analysis of many portfolios spends its time in: all it reads stands in locals.
   */
  #value(day: EpochDay): boolean {
    const { matrix, priceRows, groups } = this.#ledger
    const { closes, dayCount } = matrix
    const quantities = this.#quantities
    const units = this.#closes
    const row = this.#row
    const column = day - matrix.firstDay
    const isInside = column >= 0 && column < dayCount
    const hasGroups = this.#groups.length > 0
    let isObserved = false
    let total = 0
    if (hasGroups) this.#clear(row)
    for (let part = 0; part < quantities.length; part += 1) {
      const quantity = quantities[part] ?? 0
      if (quantity === 0) {
        this.#isFollowed[part] = 0
        this.#endValues[part] = 0
        continue
      }
      // Without a row it is a place before the first: nothing is there.
      const close = closes[(priceRows[part] ?? -1) * dayCount + column] ?? NaN
      const isOfDay = isInside && !Number.isNaN(close)
      if (isOfDay) {
        isObserved = true
        units[part] = close
        this.#isFollowed[part] = 1
      }
      const value = quantity * this.#worth(part, day)
      this.#endValues[part] = value
      total += value
      if (hasGroups) this.#addToGroup(groups[part] ?? -1, value, isOfDay)
    }
    this.#addCash(day, total)
    this.#whole.observed[row] = Number(isObserved)
    return isObserved
  }

  #addCash(day: EpochDay, holdings: number): void {
    const cash = this.#cashValue(day)
    this.#endCash = cash
    this.#whole.values[this.#row] = holdings + cash
    this.#groups[this.#ledger.cashGroup]?.add(this.#row, cash)
  }

  #addToGroup(group: number, value: number, isOfDay: boolean): void {
    const rows = this.#groups[group]
    if (rows === undefined) return
    rows.add(this.#row, value)
    if (isOfDay) rows.observed[this.#row] = 1
  }

  #clear(row: number): void {
    for (const rows of this.#groups) {
      rows.values[row] = 0
      rows.observed[row] = 0
    }
  }

  #cashValue(day: EpochDay): number {
    let cash = 0
    for (let currency = 0; currency < this.#balances.length; currency += 1) {
      const balance = this.#balances[currency] ?? 0
      if (balance === 0) continue
      cash += balance * this.#rate(this.#ledger.cashRates[currency] ?? NO_RATE, day)
    }
    return cash
  }

  /** One unit in the reporting currency on a day whose own close may not have been looked at yet. */
  #unitValue(part: number, day: EpochDay): number {
    const { matrix, priceRows } = this.#ledger
    const close = closeOf(matrix, priceRows[part] ?? -1, day)
    if (!Number.isNaN(close)) {
      this.#closes[part] = close
      this.#isFollowed[part] = 1
    }
    return this.#worth(part, day)
  }

  /** The same by the last close, which is looked for where it is not known. */
  #worth(part: number, day: EpochDay): number {
    if (this.#isFollowed[part] === 0) {
      this.#closes[part] = this.#lastClose(part, day)
      this.#isFollowed[part] = 1
    }
    const close = this.#closes[part] ?? NaN
    if (Number.isNaN(close)) {
      return (this.#trades[part] ?? NaN) * this.#rate(this.#ledger.baseRate, day)
    }
    const rate = this.#ledger.priceRates[part] ?? NO_RATE
    return rate === SAME_CURRENCY ? close : close * this.#rate(rate, day)
  }

  #lastClose(part: number, day: EpochDay): number {
    const { matrix, priceRows } = this.#ledger
    return lastClose(matrix, priceRows[part] ?? -1, day)
  }

  #rate(row: number, day: EpochDay): number {
    if (row === SAME_CURRENCY) return 1
    return row === NO_RATE ? NaN : lastClose(this.#ledger.matrix, row, day)
  }
}
