import { type Decimal, divide, isAbove, plus, sum, Total, ZERO } from '../decimal.ts'
import { convert, exchangeRate, type QuoteSource } from '../market-data/quote.ts'
import { type Instant, rfc3339 } from '../time.ts'
import type { Book, Holding } from './holding.ts'
import { isLeftOut, leftOutIssues } from './left-out-actions.ts'
import {
  conversionOf,
  type Currencies,
  isPriced,
  oldest,
  type Position,
  positionSymbol,
  valueHolding,
} from './position.ts'
import { priceOf } from './price.ts'
import type { Quality, QualityIssue } from './quality.ts'
import { addBooked, type Booked, NOTHING_BOOKED, type Result, resultOf } from './result.ts'
import type { PortfolioState } from './state.ts'

/** Money of one currency; `value` is zero when no rate is known. */
export interface CashPosition {
  readonly currency: string
  readonly amount: Decimal
  readonly exchangeRate: Decimal | undefined
  readonly value: Decimal
}

/** An instrument still held, over all its accounts; what its closed accounts realised included (decision 21). */
export interface Asset {
  readonly instrumentId: string
  /** What reference data calls the instrument now, else its id. */
  readonly symbol: string
  readonly quantity: Decimal
  readonly value: Decimal
  readonly profitLoss: Decimal
}

export interface Valuation {
  readonly reportingCurrency: string
  /** Units of it for one of the base currency; undefined when not known, and then all amounts are zero. */
  readonly shownRate: Decimal | undefined
  readonly totalValue: Decimal
  readonly costBasis: Decimal
  /** Tracked cash in all currencies; part of `totalValue` (decision 19). */
  readonly cashValue: Decimal
  readonly cash: readonly CashPosition[]
  readonly result: Result
  /** profitLoss / cost of what was acquired and not transferred out, a fraction; zero when there is no such cost. */
  readonly simpleReturn: Decimal
  /** By instrument; sold-out ones are left out, their result is in `profitLoss` (decision 22). */
  readonly assets: readonly Asset[]
  /** Open positions, by instrument and account. */
  readonly positions: readonly Position[]
  readonly quality: Quality
}

/**
 * Values a portfolio with the newest quotes (decisions 19 to 23, 36): exact, and honest about what is missing.
 * Amounts are in the base currency and shown in `reportingCurrency` at the current rate.
 */
export function valuePortfolio(
  state: PortfolioState,
  quotes: QuoteSource,
  now: Instant,
  reportingCurrency: string = state.settings.baseCurrency,
): Valuation {
  const { baseCurrency } = state.settings
  const toReporting = exchangeRate(quotes, baseCurrency, reportingCurrency)
  const shownRate = toReporting?.rate
  const currencies = { quotes, baseCurrency, toReporting }
  const tally = new Tally(currencies)
  for (const book of inOrderOfKeys(state.books)) tally.add(book)
  const { positions, assets } = tally
  const result = resultOf(tally.booked, shownRate, tally.unrealized.value)
  const cash = valueCash(state, currencies)
  const cashValue = sum(cash.map(({ value }) => value))
  const capital = tally.capital.value
  const shownCapital = shownRate ? convert(capital, shownRate) : ZERO
  return {
    reportingCurrency,
    shownRate,
    totalValue: plus(tally.value.value, cashValue),
    costBasis: tally.costBasis.value,
    cashValue,
    cash,
    result,
    simpleReturn: isAbove(shownCapital, ZERO) ? divide(result.total, shownCapital) : ZERO,
    assets,
    positions,
    quality: qualityOf(positions, [
      ...issuesOf(positions, now),
      ...leftOutIssues(tally.leftOut, baseCurrency, quotes, now),
      ...splitIssues(assets, quotes),
      ...cash.flatMap(cashIssues),
      ...reportingIssues(positions, currencies, reportingCurrency),
    ]),
  }
}

/** What a portfolio's books add up to. Every write does this for every holding: it makes few objects. */
class Tally {
  readonly positions: Position[] = []
  readonly assets: Asset[] = []
  readonly value = new Total()
  readonly costBasis = new Total()
  readonly unrealized = new Total()
  readonly capital = new Total()
  readonly leftOut = new Set<string>()
  booked = NOTHING_BOOKED
  readonly #currencies: Currencies

  constructor(currencies: Currencies) {
    this.#currencies = currencies
  }

  add(book: Book): void {
    const first = this.positions.length
    let booked = NOTHING_BOOKED
    for (const holding of inOrderOfKeys(book)) {
      booked = addBooked(booked, holding)
      this.capital.add(holding.capital)
      if (isLeftOut(holding)) this.leftOut.add(holding.instrumentId)
      if (!holding.quantity.isZero()) this.#open(book, holding)
    }
    this.booked = addBooked(this.booked, booked)
    if (this.positions.length === first) return
    const shownRate = this.#currencies.toReporting?.rate
    this.assets.push(assetOf(this.positions.slice(first), booked, shownRate))
  }

  #open(book: Book, holding: Holding): void {
    const { quotes, baseCurrency } = this.#currencies
    const price = priceOf(book, holding, quotes, baseCurrency)
    const position = valueHolding(holding, price, this.#currencies)
    // What cannot be valued has no result yet: its cost stays out of the denominator too.
    if (!isPriced(position) && holding.basis.greaterThan(0)) {
      this.capital.add(holding.basis.negated())
    }
    this.value.add(position.value)
    this.costBasis.add(position.costBasis)
    this.unrealized.add(position.unrealized)
    this.positions.push(position)
  }
}

/** Of at least one position, all of one instrument. */
function assetOf(open: readonly Position[], booked: Booked, shownRate: Decimal | undefined): Asset {
  let quantity = ZERO
  let value = ZERO
  let unrealized = ZERO
  for (const position of open) {
    quantity = plus(quantity, position.holding.quantity)
    value = plus(value, position.value)
    unrealized = plus(unrealized, position.unrealized)
  }
  const [first] = open
  const instrumentId = first?.holding.instrumentId ?? ''
  return {
    instrumentId,
    symbol: first?.instrument?.symbol ?? instrumentId,
    quantity,
    value,
    profitLoss: resultOf(booked, shownRate, unrealized).total,
  }
}

function valueCash(state: PortfolioState, currencies: Currencies): readonly CashPosition[] {
  const { baseCurrency } = currencies
  return inOrder([...state.cash.balances]).map(([code, amount]) => {
    const currency = code === '' ? baseCurrency : code
    const rate = conversionOf({ currency }, currencies)?.rate
    return { currency, amount, exchangeRate: rate, value: rate ? convert(amount, rate) : ZERO }
  })
}

function cashIssues({ currency, exchangeRate: rate }: CashPosition): readonly QualityIssue[] {
  if (rate !== undefined) return []
  const detail = `no rate from ${currency}: this cash is left out of totals`
  return [{ symbol: '', reason: 'FX_MISSING', detail }]
}

/** Without a rate what was realised is shown as zero: with no position to say so, this does. */
function reportingIssues(
  positions: readonly Position[],
  { baseCurrency, toReporting }: Currencies,
  reportingCurrency: string,
): readonly QualityIssue[] {
  if (toReporting !== undefined || positions.length > 0) return []
  const detail = `no rate from ${baseCurrency} to ${reportingCurrency}: nothing can be shown in it`
  return [{ symbol: '', reason: 'FX_MISSING', detail }]
}

/** The values in code point order of their keys: an answer never depends on the order in which rows were read. */
function inOrderOfKeys<Value>(map: ReadonlyMap<string, Value>): Iterable<Value> {
  let last = ''
  for (const key of map.keys()) {
    if (key < last) return inOrder([...map]).map(([, value]) => value)
    last = key
  }
  return map.values()
}

function inOrder<Value>(
  entries: readonly (readonly [string, Value])[],
): (readonly [string, Value])[] {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** All that a position has brought, what its account sold before included. */
export function resultOfPosition(
  { holding, unrealized }: Position,
  { shownRate }: Valuation,
): Result {
  return resultOf(holding, shownRate, unrealized)
}

function issuesOf(positions: readonly Position[], now: Instant): readonly QualityIssue[] {
  const issues: QualityIssue[] = []
  for (const position of positions) {
    const { unknownQuantity } = position.holding
    const symbol = positionSymbol(position)
    const priceIssue = priceIssueOf(position, now)
    if (priceIssue !== undefined) issues.push({ symbol, ...priceIssue })
    if (!unknownQuantity.isZero()) {
      issues.push({
        symbol,
        reason: 'BASIS_UNKNOWN',
        detail: `${unknownQuantity.toFixed()} units without a known cost: left out of profit and loss`,
      })
    }
  }
  return issues
}

function priceIssueOf(position: Position, now: Instant): Omit<QualityIssue, 'symbol'> | undefined {
  const { price, pricedAt = now, exchangeRate: rate, currency, source, staleAfter } = position
  if (price === undefined) {
    return { reason: 'PRICE_MISSING', detail: 'no quote and no trade: left out of totals' }
  }
  if (rate === undefined) {
    return { reason: 'FX_MISSING', detail: `no rate from ${currency}: left out of totals` }
  }
  if (source === 'TRADE') {
    const detail = `no quote: valued at the last trade's price of ${rfc3339(pricedAt)}`
    return { reason: 'PRICE_STALE', detail }
  }
  if (now > staleAfter) {
    return { reason: 'PRICE_STALE', detail: `priced at ${rfc3339(pricedAt)}` }
  }
  return undefined
}

/** Quantity and price may be of different units (decision 28): somebody has to look, nothing is changed. */
function splitIssues(assets: readonly Asset[], quotes: QuoteSource): readonly QualityIssue[] {
  const issues: QualityIssue[] = []
  for (const { instrumentId, symbol } of assets) {
    if (!quotes.isSplitSuspected?.(instrumentId)) continue
    const detail = 'the price jumped as in a split, and none is recorded'
    issues.push({ symbol, reason: 'SPLIT_SUSPECTED', detail })
  }
  return issues
}

function qualityOf(positions: readonly Position[], issues: readonly QualityIssue[]): Quality {
  let pricedAt: Instant | undefined
  for (const { valuedAt } of positions) pricedAt = oldest(pricedAt, valuedAt)
  if (issues.length === 0) return { completeness: 'COMPLETE', pricedAt, issues }
  const has = (...reasons: QualityIssue['reason'][]): boolean =>
    issues.some((issue) => reasons.includes(issue.reason))
  const stale = has('PRICE_STALE', 'SPLIT_SUSPECTED') ? 'STALE' : 'COMPLETE'
  const completeness = has('PRICE_MISSING', 'FX_MISSING', 'ACTION_LEFT_OUT') ? 'PARTIAL' : stale
  return { completeness, pricedAt, issues }
}
