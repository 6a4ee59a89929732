import { type CloseMatrix, lastClose } from '../../domain/analytics/close-matrix.ts'
import { NO_RATE, SAME_CURRENCY } from '../../domain/analytics/valued-ledger.ts'
import type { EpochDay } from '../../domain/analytics/epoch-day.ts'
import { ONE } from '../../domain/decimal.ts'
import { constantQuote, effectiveQuote } from '../../domain/market-data/effective-quote.ts'
import type { CorporateAction } from '../../domain/market-data/corporate-action.ts'
import { CorporateActions } from '../../domain/market-data/corporate-actions.ts'
import { momentOfUnits, priceInLastUnits } from '../../domain/market-data/paired-quote.ts'
import type { InstrumentSource } from '../../domain/market-data/instrument.ts'
import { pairsBetween, PIVOT_CURRENCIES, type Quote } from '../../domain/market-data/quote.ts'
import type { CloseHistory, DailyClose } from '../analytics-store.ts'

/** Columns and rows kept free, so that the next day or instrument needs no new block. */
const SPARE_DAYS = 64
const SPARE_SHARE = 1.25

interface Row {
  readonly place: number
  /** Of its quotes, and what they are in once they are prices of units. */
  readonly quoted: string
  readonly currency: string
  /** Worth of a unit at a price of one. */
  readonly factor: number
  readonly isConstant: boolean
  /** All actions of the instrument that were known: its prices are of units after their last split. */
  readonly actions: readonly CorporateAction[]
}

interface RateRow {
  readonly place: number
  revision: number
}

/**
 * The daily closes of many instruments in one block of memory that threads read in place. Grows into a new block:
 * who reads the old one goes on with what it was. Instruments without a quote have a row too, an empty one.
 */
export class PriceMatrix {
  readonly #instruments: InstrumentSource
  readonly #actions: () => CorporateActions
  readonly #rows = new Map<string, Row>()
  readonly #outdated = new Set<string>()
  readonly #rates = new Map<string, RateRow>()
  #matrix: CloseMatrix = { firstDay: 0, dayCount: 0, closes: new Float64Array() }
  #placesUsed = 0
  #placesMax = 0
  #placesExpected = 0
  #revision = 0

  constructor(
    instruments: InstrumentSource,
    actions: () => CorporateActions = () => CorporateActions.none,
  ) {
    this.#instruments = instruments
    this.#actions = actions
  }

  get matrix(): CloseMatrix {
    return this.#matrix
  }

  /** Another one after every change of a close. */
  get revision(): number {
    return this.#revision
  }

  /** True while nobody asked for anything. */
  get isEmpty(): boolean {
    return this.#rows.size === 0
  }

  /** True when its closes are here and are what its description and its splits make of them. */
  has(instrumentId: string): boolean {
    const row = this.#rows.get(instrumentId)
    if (row === undefined || this.#outdated.has(instrumentId)) return false
    const actions = this.#actions().of(instrumentId)
    if (row.actions === actions) return true
    if (splitsKey(row.actions) !== splitsKey(actions)) return false
    this.#rows.set(instrumentId, { ...row, actions })
    return true
  }

  /** True when its prices have to be read with what they are prices of. */
  needsUnits(instrumentId: string): boolean {
    return splitsKey(this.#actions().of(instrumentId)) !== ''
  }

  /** What one unit is quoted in; "" = the base currency of whoever holds it. */
  currencyOf(instrumentId: string): string {
    return this.#rows.get(instrumentId)?.currency ?? ''
  }

  /** -1 = it is not here. */
  rowOf(instrumentId: string): number {
    return this.#rows.get(instrumentId)?.place ?? -1
  }

  /** So many more instruments are about to come: room for all is made with the first. */
  expect(count: number): void {
    this.#placesExpected = this.#placesUsed + count
  }

  /** Has an instrument read anew, since its description changed. */
  outdate(instrumentId: string): void {
    if (!this.#rows.has(instrumentId)) return
    this.#outdated.add(instrumentId)
    this.#revision += 1
  }

  /** Keeps what was read of these instruments, also that there is nothing. */
  put(instrumentIds: readonly string[], histories: readonly CloseHistory[], today: EpochDay): void {
    const found = new Map(histories.map((history) => [history.instrumentId, history]))
    const firstDay = histories.reduce((first, { days }) => Math.min(first, days[0] ?? first), today)
    const lastDay = histories.reduce((last, { days }) => Math.max(last, days.at(-1) ?? last), today)
    this.#makeRoom(this.#placesUsed + instrumentIds.length, firstDay, lastDay)
    for (const instrumentId of instrumentIds) {
      const history = found.get(instrumentId)
      const row = this.#describe(instrumentId, history?.currency ?? '')
      this.#rows.set(instrumentId, row)
      this.#outdated.delete(instrumentId)
      // A split was recorded while they were read.
      if (history && !history.unitsOf && splitsKey(row.actions) !== '') this.outdate(instrumentId)
      this.#fill(row, row.isConstant ? undefined : history)
    }
    this.#revision += 1
  }

  /** Takes in new closes of the instruments that are here. */
  update(closes: readonly DailyClose[]): void {
    for (const { instrumentId, currency, day, price, unitsOf } of closes) {
      const row = this.#rows.get(instrumentId)
      if (row === undefined || row.isConstant) continue
      if (row.quoted !== currency) {
        // Of another currency: read anew, with all that it means.
        this.outdate(instrumentId)
        continue
      }
      this.#makeRoom(this.#placesUsed, day, day)
      this.#set(row, day, price * priceInLastUnits(row.actions, unitsOf))
      this.#revision += 1
    }
  }

  /** What a unit after the last split is worth by a quote; undefined where it is not quoted as its closes are. */
  unitPrice(quote: Quote): number | undefined {
    const row = this.#rows.get(quote.instrumentId)
    if (row === undefined || row.isConstant || row.quoted !== quote.currency) return undefined
    return quote.price.toNumber() * row.factor * priceInLastUnits(row.actions, momentOfUnits(quote))
  }

  /** Pairs that a rate may be made of and that are not here yet, or have to be read anew. */
  missingPairs(from: string, to: string): readonly string[] {
    return pairsBetween(from, to).filter((pair) => !this.has(pair))
  }

  /** The row of the rate of every day from one currency to another, or SAME_CURRENCY or NO_RATE. */
  rateRow(from: string, to: string): number {
    if (from === to) return SAME_CURRENCY
    const name = `${from}>${to}`
    let rate = this.#rates.get(name)
    if (rate === undefined) {
      this.#makeRoom(this.#placesUsed + 1, this.#matrix.firstDay, this.#matrix.firstDay)
      rate = { place: this.#takePlace(), revision: -1 }
      this.#rates.set(name, rate)
    }
    if (rate.revision !== this.#revision) {
      this.#fillRate(rate.place, from, to)
      rate.revision = this.#revision
    }
    return Number.isNaN(lastClose(this.#matrix, rate.place, Number.MAX_SAFE_INTEGER))
      ? NO_RATE
      : rate.place
  }

  #describe(instrumentId: string, quoted: string): Row {
    const instrument = this.#instruments.get(instrumentId)
    const actions = this.#actions().of(instrumentId)
    const place = this.#placeFor(instrumentId, actions)
    const plain = { place, quoted, currency: quoted, factor: 1, isConstant: false, actions }
    if (instrument === undefined) return plain
    const constant = constantQuote(instrument)
    if (constant !== undefined) return { ...plain, currency: constant.currency, isConstant: true }
    const facts = { pricedAt: 0, source: '', kind: 'CLOSE', splitAdjusted: false } as const
    const one = { instrumentId, price: ONE, currency: quoted, ...facts }
    const { unitPrice = ONE, currency } = effectiveQuote(one, instrument)
    return { ...plain, currency, factor: unitPrice.toNumber() }
  }

  /** Another one after a split: who counts in the units of before reads the old one on. */
  #placeFor(instrumentId: string, actions: readonly CorporateAction[]): number {
    const row = this.#rows.get(instrumentId)
    return row !== undefined && splitsKey(row.actions) === splitsKey(actions)
      ? row.place
      : this.#takePlace()
  }

  #takePlace(): number {
    this.#placesUsed += 1
    return this.#placesUsed - 1
  }

  /** At once: who reads the row meanwhile never finds it empty. */
  #fill({ place, factor, isConstant, actions }: Row, history: CloseHistory | undefined): void {
    const { closes, dayCount, firstDay } = this.#matrix
    const row = new Float64Array(dayCount).fill(NaN)
    // Money is worth itself from the first day on.
    if (isConstant) row[0] = 1
    if (history !== undefined) {
      const { days, prices, unitsOf } = history
      for (let at = 0; at < days.length; at += 1) {
        const units = unitsOf === undefined ? 1 : priceInLastUnits(actions, unitsOf[at] ?? 0)
        row[(days[at] ?? 0) - firstDay] = (prices[at] ?? NaN) * factor * units
      }
    }
    closes.set(row, place * dayCount)
  }

  #set({ place, factor }: Row, day: EpochDay, price: number): void {
    const { closes, dayCount, firstDay } = this.#matrix
    closes[place * dayCount + day - firstDay] = price * factor
  }

  /** One pass over the days, with the last quotes at hand: looking each one up would take their square. */
  #fillRate(place: number, from: string, to: string): void {
    const { closes, dayCount } = this.#matrix
    const row = closes.subarray(place * dayCount, (place + 1) * dayCount)
    const leg = (one: string, other: string): Leg =>
      new Leg(closes, dayCount, [this.rowOf(`${one}/${other}`), this.rowOf(`${other}/${one}`)])
    const direct = leg(from, to)
    const crossings = PIVOT_CURRENCIES.map((pivot) => [leg(from, pivot), leg(pivot, to)] as const)
    for (let column = 0; column < dayCount; column += 1) {
      // As `exchangeRate` makes it: quoted, inverted, or crossed through a pivot.
      let rate = direct.next(column)
      for (const [first, second] of crossings) {
        const crossed = first.next(column) * second.next(column)
        if (Number.isNaN(rate)) rate = crossed
      }
      row[column] = rate
    }
  }

  #makeRoom(places: number, firstDay: EpochDay, lastDay: EpochDay): void {
    const old = this.#matrix
    const isEmpty = old.dayCount === 0
    const oldEnd = old.firstDay + old.dayCount
    if (places <= this.#placesMax && firstDay >= old.firstDay && lastDay < oldEnd) return
    const first = isEmpty ? firstDay : Math.min(firstDay, old.firstDay)
    const end = Math.max(lastDay + 1 + SPARE_DAYS, isEmpty ? 0 : oldEnd)
    const dayCount = lastDay < oldEnd && !isEmpty ? oldEnd - first : end - first
    const wanted = Math.max(places, this.#placesExpected)
    this.#placesMax = Math.max(this.#placesMax, Math.ceil(wanted * SPARE_SHARE))
    const bytes = this.#placesMax * dayCount * Float64Array.BYTES_PER_ELEMENT
    const closes = new Float64Array(new SharedArrayBuffer(bytes)).fill(NaN)
    for (let place = 0; place < this.#placesUsed; place += 1) {
      const from = place * old.dayCount
      closes.set(
        old.closes.subarray(from, from + old.dayCount),
        place * dayCount + old.firstDay - first,
      )
    }
    for (const { place, isConstant } of this.#rows.values()) {
      if (isConstant) closes[place * dayCount] = 1
    }
    this.#matrix = { firstDay: first, dayCount, closes }
  }
}

/** Names the splits that count; "" = there is none. */
function splitsKey(actions: readonly CorporateAction[]): string {
  if (actions.length === 0) return ''
  return actions
    .filter(({ terms, reversedAt }) => terms.kind === 'SPLIT' && reversedAt === undefined)
    .map(({ actionId }) => actionId)
    .join()
}

/** The last rate of a pair on each day, quoted or inverted. */
class Leg {
  readonly #closes: Float64Array
  readonly #from: readonly [number, number]
  #quoted = NaN
  #inverse = NaN

  /** @param places rows of the pair and of its inverse, -1 = none. */
  constructor(closes: Float64Array, dayCount: number, places: readonly [number, number]) {
    this.#closes = closes
    this.#from = [places[0] * dayCount, places[1] * dayCount]
  }

  next(column: number): number {
    const [quoted, inverse] = this.#from
    if (quoted >= 0) this.#quoted = laterOf(this.#quoted, this.#closes[quoted + column])
    if (inverse >= 0) this.#inverse = laterOf(this.#inverse, this.#closes[inverse + column])
    return Number.isNaN(this.#quoted) ? 1 / this.#inverse : this.#quoted
  }
}

function laterOf(before: number, close: number = NaN): number {
  return Number.isNaN(close) ? before : close
}
