import { closeOf, lastClose } from './close-matrix.ts'
import type { EpochDay } from './epoch-day.ts'
import { MomentLookup, NO_MOMENTS, outsideFlow } from './flow-moments.ts'
import { entryKinds, UNITS_ROUNDING } from './ledger-numbers.ts'
import { hasNewRate } from './new-rate.ts'
import { Rows } from './series-rows.ts'
import {
  type CountedCharges,
  type HeldAtEnd,
  isOneCurrency,
  NO_RATE,
  SAME_CURRENCY,
  type ValuedDays,
  type ValuedLedger,
} from './valued-ledger.ts'

/** Goes through the days of a portfolio, and values it at the close of each and at the moments of flows. */
export class DayWalk {
  readonly #ledger: ValuedLedger
  readonly #counted: CountedCharges
  readonly #isOneCurrency: boolean
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
  readonly #moments: MomentLookup
  /** Of the moment that is looked at; undefined = those of days. */
  #prices: Float64Array | undefined
  #next = 0
  #row = 0
  #endCash = 0

  constructor(ledger: ValuedLedger, counted: CountedCharges, size: number) {
    this.#ledger = ledger
    this.#counted = counted
    this.#isOneCurrency = isOneCurrency(ledger)
    this.#moments = new MomentLookup(ledger.moments ?? NO_MOMENTS)
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
    if (!moved && !observed && !isNeeded && !this.#isConverted(day)) return
    this.#days[this.#row] = day
    this.#row += 1
  }

  /** At the end of the day that was closed last. */
  held(): HeldAtEnd {
    return {
      endValues: this.#endValues.slice(),
      endQuantities: this.#quantities.slice(),
      endCash: this.#endCash,
    }
  }

  series(): Pick<ValuedDays, 'whole' | 'groups'> {
    return {
      whole: this.#whole.series(this.#days, this.#row),
      groups: this.#groups.map((rows) => rows.series(this.#days, this.#row)),
    }
  }

  #isConverted(day: EpochDay): boolean {
    if (this.#isOneCurrency) return false
    const [quantities, closes, balances] = [this.#quantities, this.#closes, this.#balances]
    return hasNewRate(this.#ledger, { quantities, closes, balances }, day)
  }

  #takeIn(day: EpochDay): boolean {
    const { days, instants } = this.#ledger.numbers
    const first = this.#next
    let from = first
    while (this.#next < days.length && (days[this.#next] ?? day) <= day) {
      const moment = this.#moments.at(instants[this.#next] ?? 0)
      if (moment < 0) {
        this.#move(this.#next)
        this.#next += 1
        continue
      }
      this.#bookFlows(from, this.#next, day)
      this.#split(moment, day)
      from = this.#next
    }
    this.#bookFlows(from, this.#next, day)
    return this.#next > first
  }

  #bookFlows(from: number, end: number, day: EpochDay): void {
    for (let entry = from; entry < end; entry += 1) this.#bookFlow(entry, day)
  }

  #bookFlow(entry: number, day: EpochDay): void {
    if (this.#ledger.numbers.kinds[entry] === entryKinds.PASSED) this.#pass(entry, day)
    else this.#flow(entry, day)
  }

  /** Ends a row within the day: before what comes in at a moment, and after what leaves at it. */
  #split(moment: number, day: EpochDay): void {
    const { numbers } = this.#ledger
    const [from, instant] = [this.#next, numbers.instants[this.#next]]
    let end = from
    while (numbers.instants[end] === instant) end += 1
    const isInflow = (entry: number): boolean => outsideFlow(numbers, entry) > 0
    this.#prices = this.#moments.prices(moment, this.#quantities.length)
    for (let entry = from; entry < end; entry += 1) {
      if (!isInflow(entry)) this.#moveAndBook(entry, day)
    }
    this.#valueMoment(day, this.#prices)
    this.#days[this.#row] = day
    this.#row += 1
    for (let entry = from; entry < end; entry += 1) {
      if (isInflow(entry)) this.#moveAndBook(entry, day)
    }
    this.#prices = undefined
    this.#next = end
  }

  #moveAndBook(entry: number, day: EpochDay): void {
    this.#move(entry)
    this.#bookFlow(entry, day)
  }

  #valueMoment(day: EpochDay, prices: Float64Array): void {
    this.#clear(this.#row)
    let total = 0
    for (const [part, quantity] of this.#quantities.entries()) {
      if (quantity === 0) continue
      const value = quantity * (prices[part] ?? NaN)
      total += value
      this.#addToGroup(this.#ledger.groups[part] ?? -1, value, false)
    }
    this.#addCash(day, total)
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
    if (this.#prices !== undefined) return this.#prices[part] ?? NaN
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
      const { matrix, priceRows } = this.#ledger
      this.#closes[part] = lastClose(matrix, priceRows[part] ?? -1, day)
      this.#isFollowed[part] = 1
    }
    const close = this.#closes[part] ?? NaN
    if (Number.isNaN(close)) {
      return (this.#trades[part] ?? NaN) * this.#rate(this.#ledger.baseRate, day)
    }
    const rate = this.#ledger.priceRates[part] ?? NO_RATE
    return rate === SAME_CURRENCY ? close : close * this.#rate(rate, day)
  }

  #rate(row: number, day: EpochDay): number {
    if (row === SAME_CURRENCY) return 1
    return row === NO_RATE ? NaN : lastClose(this.#ledger.matrix, row, day)
  }
}
