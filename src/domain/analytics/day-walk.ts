import type { EpochDay } from './epoch-day.ts'
import { MomentLookup, NO_MOMENTS, outsideFlow } from './flow-moments.ts'
import { HeldUnits } from './held-units.ts'
import { entryKinds } from './ledger-numbers.ts'
import { Rows, rowsOfGroup } from './series-rows.ts'
import type { CountedCharges, HeldAtEnd, ValuedDays, ValuedLedger } from './valued-ledger.ts'

/** Goes through the days of a portfolio, and values it at the close of each and at the moments of flows. */
export class DayWalk {
  readonly #ledger: ValuedLedger
  readonly #counted: CountedCharges
  readonly #span: DaySpan
  readonly #held: HeldUnits
  readonly #days: Int32Array
  readonly #whole: Rows
  readonly #groups: Rows[]
  readonly #moments: MomentLookup
  /** Of the moment that is looked at; undefined = those of days. */
  #prices: Float64Array | undefined
  #next = 0
  #row = 0

  constructor(ledger: ValuedLedger, counted: CountedCharges, span: DaySpan) {
    this.#ledger = ledger
    this.#counted = counted
    this.#span = span
    this.#held = new HeldUnits(ledger)
    const moments = ledger.moments ?? NO_MOMENTS
    this.#moments = new MomentLookup(moments)
    const size = Math.max(span.last - span.first + 1, 1) + moments.instants.length
    this.#days = new Int32Array(size)
    this.#whole = new Rows(size)
    this.#groups = Array.from({ length: ledger.groupCount }, () => new Rows(size))
  }

  /** Takes in what happened before the first day; its flows only tell that there were some. */
  skipToFirst(): void {
    const { days, cash } = this.#ledger.numbers
    const { first } = this.#span
    while (this.#next < days.length && (days[this.#next] ?? first) < first) {
      this.#held.move(this.#next)
      this.#whole.flow(0, Math.abs(cash[this.#next] ?? 0))
      this.#next += 1
    }
  }

  /**
   * Closes a day and those after it on which nothing happened, up to `limit`: the rows of those that are to have one.
   * Returns the last.
   */
  close(day: EpochDay, limit: EpochDay): EpochDay {
    const hasMoved = this.#takeIn(day)
    const next = this.#ledger.numbers.days[this.#next] ?? Infinity
    const stretch = { from: day, until: Math.min(next - 1, limit) }
    const row = this.#row
    const end = row + stretch.until - day + 1
    this.#whole.clear(row, end)
    for (const rows of this.#groups) rows.clear(row, end)
    this.#held.valueStretch(stretch, row, { whole: this.#whole, groups: this.#groups })
    if (hasMoved || day === this.#span.first) this.#whole.wanted[row] = 1
    if (stretch.until === this.#span.last) this.#whole.wanted[end - 1] = 1
    this.#keepWanted(stretch.from, row, end)
    return stretch.until
  }

  /** At the end of the day that was closed last. */
  held(): HeldAtEnd {
    return this.#held.atEnd()
  }

  series(): Pick<ValuedDays, 'whole' | 'groups'> {
    return {
      whole: this.#whole.series(this.#days, this.#row),
      groups: this.#groups.map((rows) => rows.series(this.#days, this.#row)),
    }
  }

  /** Of the rows of days one after the other, those that are wanted move together. */
  #keepWanted(firstDay: EpochDay, start: number, end: number): void {
    const { wanted } = this.#whole
    for (let row = start; row < end; row += 1) {
      if (wanted[row] === 0) continue
      this.#days[this.#row] = firstDay + row - start
      this.#whole.shift(row, this.#row)
      for (const rows of this.#groups) rows.shift(row, this.#row)
      this.#row += 1
    }
  }

  #takeIn(day: EpochDay): boolean {
    const { days, instants } = this.#ledger.numbers
    const first = this.#next
    let from = first
    while (this.#next < days.length && (days[this.#next] ?? day) <= day) {
      const moment = this.#moments.at(instants[this.#next] ?? 0)
      if (moment < 0) {
        this.#held.move(this.#next)
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
    this.#prices = this.#moments.prices(moment, this.#ledger.priceRows.length)
    for (let entry = from; entry < end; entry += 1) {
      if (!isInflow(entry)) this.#moveAndBook(entry, day)
    }
    this.#held.valueMoment(day, this.#prices, this.#row, {
      whole: this.#whole,
      groups: this.#groups,
    })
    this.#days[this.#row] = day
    this.#row += 1
    for (let entry = from; entry < end; entry += 1) {
      if (isInflow(entry)) this.#moveAndBook(entry, day)
    }
    this.#prices = undefined
    this.#next = end
  }

  #moveAndBook(entry: number, day: EpochDay): void {
    this.#held.move(entry)
    this.#bookFlow(entry, day)
  }

  #flow(entry: number, day: EpochDay): void {
    const { numbers, groups, cashGroup } = this.#ledger
    const part = numbers.parts[entry] ?? -1
    const rate = this.#held.rate(this.#ledger.baseRate, day)
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
    rowsOfGroup(this.#groups, group)?.flow(this.#row, amount)
  }

  #uncounted(entry: number): number {
    const { fees, taxes } = this.#ledger.numbers
    const counted = this.#counted
    return (counted.fees ? 0 : (fees[entry] ?? 0)) + (counted.taxes ? 0 : (taxes[entry] ?? 0))
  }

  /** One unit in the reporting currency, at the moment looked at or at a day's close. */
  #unitValue(part: number, day: EpochDay): number {
    return this.#prices === undefined
      ? this.#held.unitValue(part, day)
      : (this.#prices[part] ?? NaN)
  }
}

/** Days, both inclusive. */
interface DaySpan {
  readonly first: EpochDay
  readonly last: EpochDay
}
