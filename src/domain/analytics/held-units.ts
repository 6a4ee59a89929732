import { closeOf, isNewClose, lastClose } from './close-matrix.ts'
import type { EpochDay } from './epoch-day.ts'
import { UNITS_ROUNDING } from './ledger-numbers.ts'
import { type Rows, rowsOfGroup } from './series-rows.ts'
import {
  type HeldAtEnd,
  isOneCurrency,
  NO_RATE,
  SAME_CURRENCY,
  type ValuedLedger,
} from './valued-ledger.ts'

/** Series to write to: of all that is held, and of each group. */
interface HeldRows {
  readonly whole: Rows
  readonly groups: readonly Rows[]
}

/** Days one after the other, both inclusive, of which only the first may have entries. */
interface Stretch {
  readonly from: EpochDay
  readonly until: EpochDay
}

/** What is held of each instrument and currency, and what it is worth. */
export class HeldUnits {
  readonly #ledger: ValuedLedger
  readonly #isConverted: boolean
  readonly #quantities: Float64Array
  /** Last close of what is held, in its own currency. */
  readonly #closes: Float64Array
  /** 1 while each day's close is looked at; else the last one has to be looked for. */
  readonly #isFollowed: Uint8Array
  /** Last trade's price, in the base currency. */
  readonly #trades: Float64Array
  readonly #balances: Float64Array
  readonly #endValues: Float64Array
  #endCash = 0

  constructor(ledger: ValuedLedger) {
    this.#ledger = ledger
    this.#isConverted = !isOneCurrency(ledger)
    const parts = ledger.priceRows.length
    this.#quantities = new Float64Array(parts)
    this.#closes = new Float64Array(parts).fill(NaN)
    this.#isFollowed = new Uint8Array(parts)
    this.#trades = new Float64Array(parts).fill(NaN)
    this.#endValues = new Float64Array(parts)
    this.#balances = new Float64Array(ledger.cashRates.length)
  }

  atEnd(): HeldAtEnd {
    return {
      endValues: this.#endValues.slice(),
      endQuantities: this.#quantities.slice(),
      endCash: this.#endCash,
    }
  }

  /** Takes in what an entry moves. */
  move(entry: number): void {
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

  /**
   * Values everything at the close of each day of a stretch, in rows that are clear, from `row` on. A row is wanted
   * where something held has a quote of the day or is converted at another rate than the day before.
   */
  valueStretch(stretch: Stretch, row: number, rows: HeldRows): void {
    for (let part = 0; part < this.#quantities.length; part += 1) {
      if (this.#quantities[part] === 0) {
        this.#isFollowed[part] = 0
        this.#endValues[part] = 0
      } else {
        this.#valuePart(part, stretch, row, rows)
      }
    }
    for (let day = stretch.from; day <= stretch.until; day += 1) {
      this.#addCash(day, row + day - stretch.from, rows)
    }
  }

  /** Values everything at prices of a moment. */
  valueMoment(day: EpochDay, prices: Float64Array, row: number, rows: HeldRows): void {
    rows.whole.clear(row, row + 1)
    for (const each of rows.groups) each.clear(row, row + 1)
    for (const [part, quantity] of this.#quantities.entries()) {
      if (quantity === 0) continue
      const value = quantity * (prices[part] ?? NaN)
      rows.whole.add(row, value)
      this.#groupRows(part, rows)?.add(row, value)
    }
    this.#addCash(day, row, rows)
  }

  /** One unit in the reporting currency at the close of a day that may not have been valued yet. */
  unitValue(part: number, day: EpochDay): number {
    const { matrix, priceRows } = this.#ledger
    const ofDay = closeOf(matrix, priceRows[part] ?? -1, day)
    const close = Number.isNaN(ofDay) ? this.#lastClose(part, day) : ofDay
    this.#closes[part] = close
    this.#isFollowed[part] = 1
    return this.#worthOf(part, close) * this.rate(this.#rateRow(part, close), day)
  }

  rate(row: number, day: EpochDay): number {
    if (row === SAME_CURRENCY) return 1
    return row === NO_RATE ? NaN : lastClose(this.#ledger.matrix, row, day)
  }

  /** What the analysis of many portfolios spends its time in: all it reads stands in locals. */
  #valuePart(part: number, { from, until }: Stretch, row: number, rows: HeldRows): void {
    const { matrix } = this.#ledger
    const { closes } = matrix
    const { values, observed, wanted } = rows.whole
    const group = this.#groupRows(part, rows)
    const isConverted = this.#isConverted
    const quantity = this.#quantities[part] ?? 0
    const quoted = quotedDays(this.#ledger, part)
    let close = this.#lastClose(part, from)
    let worth = this.#worthOf(part, close)
    let value = NaN
    for (let day = from; day <= until; day += 1) {
      const at = row + day - from
      if (day >= quoted.from && day <= quoted.until) {
        const ofDay = closes[quoted.place + day] ?? NaN
        if (!Number.isNaN(ofDay)) {
          close = ofDay
          worth = ofDay
          observed[at] = 1
          wanted[at] = 1
          if (group !== undefined) group.observed[at] = 1
        }
      }
      value = quantity * worth
      if (isConverted) {
        const rate = this.#rateRow(part, close)
        value = quantity * (worth * this.rate(rate, day))
        if (isNewClose(matrix, rate, day)) wanted[at] = 1
      }
      values[at] = (values[at] ?? 0) + value
      if (group !== undefined) group.add(at, value)
    }
    this.#closes[part] = close
    this.#isFollowed[part] = 1
    this.#endValues[part] = value
  }

  #groupRows(part: number, { groups }: HeldRows): Rows | undefined {
    return rowsOfGroup(groups, this.#ledger.groups[part] ?? -1)
  }

  /** Without a close it is worth its last trade, which is in the base currency. */
  #worthOf(part: number, close: number): number {
    return Number.isNaN(close) ? (this.#trades[part] ?? NaN) : close
  }

  #rateRow(part: number, close: number): number {
    const { priceRates, baseRate } = this.#ledger
    return Number.isNaN(close) ? baseRate : (priceRates[part] ?? NO_RATE)
  }

  /** The last close at or before a day, in its own currency, that every day before is known to. */
  #lastClose(part: number, day: EpochDay): number {
    if (this.#isFollowed[part] === 1) return this.#closes[part] ?? NaN
    const { matrix, priceRows } = this.#ledger
    return lastClose(matrix, priceRows[part] ?? -1, day)
  }

  #addCash(day: EpochDay, row: number, rows: HeldRows): void {
    const { cashRates, cashGroup, matrix } = this.#ledger
    let cash = 0
    for (let currency = 0; currency < this.#balances.length; currency += 1) {
      const balance = this.#balances[currency] ?? 0
      if (balance === 0) continue
      const rate = cashRates[currency] ?? NO_RATE
      cash += balance * this.rate(rate, day)
      if (isNewClose(matrix, rate, day)) rows.whole.wanted[row] = 1
    }
    this.#endCash = cash
    rows.whole.add(row, cash)
    rowsOfGroup(rows.groups, cashGroup)?.add(row, cash)
  }
}

/** The days of an instrument's row of closes, both inclusive, and where day 0 would stand; none without a row. */
function quotedDays(
  { matrix, priceRows }: ValuedLedger,
  part: number,
): { readonly from: EpochDay; readonly until: EpochDay; readonly place: number } {
  const { firstDay, dayCount } = matrix
  const row = priceRows[part] ?? -1
  const until = row < 0 ? -Infinity : firstDay + dayCount - 1
  return { from: firstDay, until, place: row * dayCount - firstDay }
}
