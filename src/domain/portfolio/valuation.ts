import { type Decimal, divide, multiply, plus, share, sum, ZERO } from '../decimal.ts'
import {
  convert,
  exchangeRate,
  PRICE_AGE_MAX_MICROSECONDS,
  type QuoteSource,
} from '../market-data/quote.ts'
import { type Instant, rfc3339 } from '../time.ts'
import type { Book, Holding } from './holding.ts'
import { addBooked, type Booked, NOTHING_BOOKED, type Result, resultOf } from './result.ts'
import type { PortfolioState } from './state.ts'

export type Completeness = 'COMPLETE' | 'STALE' | 'PARTIAL'

export interface QualityIssue {
  readonly instrumentId: string
  readonly reason: 'PRICE_MISSING' | 'PRICE_STALE' | 'FX_MISSING' | 'BASIS_UNKNOWN'
  readonly detail: string
}

export interface Quality {
  readonly completeness: Completeness
  /** Time of the oldest price used; undefined when no price was. */
  readonly pricedAt: Instant | undefined
  readonly issues: readonly QualityIssue[]
}

/** What a holding is worth and what it brought; amounts in the reporting currency unless said otherwise. */
export interface Position {
  readonly holding: Holding
  /** Per unit, in `currency`; undefined when there is neither a quote nor a trade. */
  readonly price: Decimal | undefined
  readonly currency: string
  readonly pricedAt: Instant | undefined
  /** Where the price is from: "TRADE" = the last trade, since there is no quote. */
  readonly source: string
  readonly exchangeRate: Decimal | undefined
  /** Time of the older of price and exchange rate: how far the value can be trusted. */
  readonly valuedAt: Instant | undefined
  /** quantity x price in `currency`; undefined when it cannot be priced. */
  readonly marketValue: Decimal | undefined
  /** Zero when it cannot be priced: then it is left out of all totals, and `Quality` says so. */
  readonly value: Decimal
  readonly costBasis: Decimal
  /** Of the units whose cost is known; zero when it cannot be priced. */
  readonly unrealized: Decimal
}

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

interface Price {
  readonly price: Decimal
  readonly currency: string
  readonly pricedAt: Instant
  readonly source: string
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
  const positions: Position[] = []
  const assets: Asset[] = []
  let sums = NOTHING_BOOKED
  let capital = ZERO
  for (const [instrumentId, book] of inOrderOfKeys(state.books)) {
    let bookSums = NOTHING_BOOKED
    const open: Position[] = []
    for (const [, holding] of inOrderOfKeys(book)) {
      bookSums = addBooked(bookSums, holding)
      capital = plus(capital, holding.capital)
      if (holding.quantity.isZero()) continue
      const position = valueHolding(
        holding,
        priceOf(book, holding, quotes, baseCurrency),
        currencies,
      )
      // What cannot be valued has no result yet: its cost stays out of the denominator too.
      if (!isPriced(position) && holding.basis.greaterThan(0)) {
        capital = capital.minus(holding.basis)
      }
      open.push(position)
    }
    sums = addBooked(sums, bookSums)
    positions.push(...open)
    if (open.length > 0) assets.push(assetOf(instrumentId, open, { booked: bookSums, shownRate }))
  }
  const result = resultOf(sums, shownRate, sum(positions.map((position) => position.unrealized)))
  const cash = valueCash(state, currencies)
  const cashValue = sum(cash.map(({ value }) => value))
  const shownCapital = shownRate ? convert(capital, shownRate) : ZERO
  return {
    reportingCurrency,
    shownRate,
    totalValue: sum(positions.map(({ value }) => value)).plus(cashValue),
    costBasis: sum(positions.map((position) => position.costBasis)),
    cashValue,
    cash,
    result,
    simpleReturn: shownCapital.greaterThan(0) ? divide(result.total, shownCapital) : ZERO,
    assets,
    positions,
    quality: qualityOf(positions, [
      ...issuesOf(positions, now),
      ...cash.flatMap(cashIssues),
      ...reportingIssues(positions, currencies, reportingCurrency),
    ]),
  }
}

function valueCash(state: PortfolioState, currencies: Currencies): readonly CashPosition[] {
  const { baseCurrency } = currencies
  return Array.from(inOrderOfKeys(state.cash.balances), ([code, amount]) => {
    const currency = code === '' ? baseCurrency : code
    const rate = conversionOf({ currency }, currencies)?.rate
    return { currency, amount, exchangeRate: rate, value: rate ? convert(amount, rate) : ZERO }
  })
}

function cashIssues({ currency, exchangeRate: rate }: CashPosition): readonly QualityIssue[] {
  if (rate !== undefined) return []
  const detail = `no rate from ${currency}: this cash is left out of totals`
  return [{ instrumentId: '', reason: 'FX_MISSING', detail }]
}

/** Without a rate what was realised is shown as zero: with no position to say so, this does. */
function reportingIssues(
  positions: readonly Position[],
  { baseCurrency, toReporting }: Currencies,
  reportingCurrency: string,
): readonly QualityIssue[] {
  if (toReporting !== undefined || positions.length > 0) return []
  const detail = `no rate from ${baseCurrency} to ${reportingCurrency}: nothing can be shown in it`
  return [{ instrumentId: '', reason: 'FX_MISSING', detail }]
}

function isPriced(position: Position): boolean {
  return position.marketValue !== undefined && position.exchangeRate !== undefined
}

function assetOf(
  instrumentId: string,
  open: readonly Position[],
  { booked, shownRate }: { booked: Booked; shownRate: Decimal | undefined },
): Asset {
  const unrealized = sum(open.map((position) => position.unrealized))
  return {
    instrumentId,
    quantity: sum(open.map(({ holding }) => holding.quantity)),
    value: sum(open.map(({ value }) => value)),
    profitLoss: resultOf(booked, shownRate, unrealized).total,
  }
}

/** Code point order, so that an answer never depends on the order in which rows were read. */
function inOrderOfKeys<Value>(map: ReadonlyMap<string, Value>): Iterable<readonly [string, Value]> {
  let last = ''
  for (const key of map.keys()) {
    if (key < last) return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1))
    last = key
  }
  return map
}

/** All that a position has brought, what its account sold before included. */
export function resultOfPosition(
  { holding, unrealized }: Position,
  { shownRate }: Valuation,
): Result {
  return resultOf(holding, shownRate, unrealized)
}

/** Last quote, else the last trade's price, else none: never an unmarked substitute (decision 36). */
function priceOf(
  book: Book,
  holding: Holding,
  quotes: QuoteSource,
  baseCurrency: string,
): Price | undefined {
  const quote = quotes.latest(holding.instrumentId)
  if (quote !== undefined) {
    return {
      price: quote.price,
      currency: quote.currency === '' ? baseCurrency : quote.currency,
      pricedAt: quote.pricedAt,
      source: quote.source,
    }
  }
  let last: Holding['lastTrade']
  for (const { lastTrade } of book.values()) {
    if (lastTrade !== undefined && (last === undefined || lastTrade.at >= last.at)) last = lastTrade
  }
  if (last === undefined) return undefined
  return { price: last.price, currency: baseCurrency, pricedAt: last.at, source: 'TRADE' }
}

interface Currencies {
  readonly quotes: QuoteSource
  readonly baseCurrency: string
  readonly toReporting: ReturnType<typeof exchangeRate>
}

const UNPRICED = { price: undefined, pricedAt: undefined, source: '' }

function valueHolding(
  holding: Holding,
  price: Price | undefined,
  currencies: Currencies,
): Position {
  const { baseCurrency, toReporting } = currencies
  const shownRate = toReporting?.rate
  const shownPrice = price ?? { ...UNPRICED, currency: baseCurrency }
  const conversion = price && conversionOf(price, currencies)
  const rate = conversion?.rate
  const marketValue = price && multiply(holding.quantity, price.price)
  const value = marketValue && rate && convert(marketValue, rate)
  const costBasis = shownRate === undefined ? ZERO : convert(holding.basis, shownRate)
  return {
    holding,
    price: shownPrice.price,
    currency: shownPrice.currency,
    pricedAt: shownPrice.pricedAt,
    source: shownPrice.source,
    exchangeRate: rate,
    valuedAt: oldest(shownPrice.pricedAt, conversion?.pricedAt),
    marketValue,
    value: value ?? ZERO,
    costBasis,
    // Units of unknown cost count in the value, not in the result.
    unrealized: value ? knownShare(value, holding).minus(costBasis) : ZERO,
  }
}

function knownShare(value: Decimal, { quantity, unknownQuantity }: Holding): Decimal {
  if (unknownQuantity.isZero()) return value
  return share(value, quantity.minus(unknownQuantity), quantity)
}

/** From a price's currency to the reporting currency, by way of the base currency. */
function conversionOf(
  { currency }: Pick<Price, 'currency'>,
  { quotes, baseCurrency, toReporting }: Currencies,
): ReturnType<typeof exchangeRate> {
  if (currency === baseCurrency) return toReporting
  const toBase = exchangeRate(quotes, currency, baseCurrency)
  if (toBase === undefined || toReporting === undefined) return undefined
  return {
    rate: multiply(toBase.rate, toReporting.rate),
    pricedAt: oldest(toBase.pricedAt, toReporting.pricedAt),
  }
}

function oldest(left: Instant | undefined, right: Instant | undefined): Instant | undefined {
  if (left === undefined || right === undefined) return left ?? right
  return Math.min(left, right)
}

function issuesOf(positions: readonly Position[], now: Instant): readonly QualityIssue[] {
  const issues: QualityIssue[] = []
  for (const position of positions) {
    const { instrumentId, unknownQuantity } = position.holding
    const priceIssue = priceIssueOf(position, now)
    if (priceIssue !== undefined) issues.push({ instrumentId, ...priceIssue })
    if (!unknownQuantity.isZero()) {
      issues.push({
        instrumentId,
        reason: 'BASIS_UNKNOWN',
        detail: `${unknownQuantity.toFixed()} units without a known cost: left out of profit and loss`,
      })
    }
  }
  return issues
}

function priceIssueOf(
  { price, pricedAt, exchangeRate: rate, currency, source, valuedAt }: Position,
  now: Instant,
): Omit<QualityIssue, 'instrumentId'> | undefined {
  if (price === undefined || pricedAt === undefined) {
    return { reason: 'PRICE_MISSING', detail: 'no quote and no trade: left out of totals' }
  }
  if (rate === undefined) {
    return { reason: 'FX_MISSING', detail: `no rate from ${currency}: left out of totals` }
  }
  if (source === 'TRADE') {
    const detail = `no quote: valued at the last trade's price of ${rfc3339(pricedAt)}`
    return { reason: 'PRICE_STALE', detail }
  }
  if (now - (valuedAt ?? now) > PRICE_AGE_MAX_MICROSECONDS) {
    return { reason: 'PRICE_STALE', detail: `priced at ${rfc3339(pricedAt)}` }
  }
  return undefined
}

function qualityOf(positions: readonly Position[], issues: readonly QualityIssue[]): Quality {
  let pricedAt: Instant | undefined
  for (const { valuedAt } of positions) pricedAt = oldest(pricedAt, valuedAt)
  const has = (...reasons: QualityIssue['reason'][]): boolean =>
    issues.some((issue) => reasons.includes(issue.reason))
  const stale = has('PRICE_STALE') ? 'STALE' : 'COMPLETE'
  const completeness = has('PRICE_MISSING', 'FX_MISSING') ? 'PARTIAL' : stale
  return { completeness, pricedAt, issues }
}
