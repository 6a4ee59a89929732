import { type Decimal, divide, multiply, plus, share, sum, ZERO } from '../decimal.ts'
import { convert, exchangeRate, type QuoteSource } from '../market-data/quote.ts'
import type { Instrument } from '../market-data/instrument.ts'
import { type Instant, rfc3339 } from '../time.ts'
import type { Holding } from './holding.ts'
import { leftOutIssues } from './left-out-actions.ts'
import type { Quality, QualityIssue } from './quality.ts'
import { type Price, priceOf, staleAfterOf } from './price.ts'
import { addBooked, type Booked, NOTHING_BOOKED, type Result, resultOf } from './result.ts'
import type { PortfolioState } from './state.ts'

/** What a holding is worth and what it brought; amounts in the reporting currency unless said otherwise. */
export interface Position {
  readonly holding: Holding
  /** What reference data knows of it; undefined = nothing. */
  readonly instrument: Instrument | undefined
  /** As quoted, in `currency`; undefined when there is neither a quote nor a trade. */
  readonly price: Decimal | undefined
  /** What one unit is worth at that price, in `currency`. */
  readonly unitPrice: Decimal | undefined
  readonly currency: string
  readonly pricedAt: Instant | undefined
  /** Where the price is from: "TRADE" = the last trade, since there is no quote. */
  readonly source: string
  readonly exchangeRate: Decimal | undefined
  /** Time of the older of price and exchange rate: how far the value can be trusted. */
  readonly valuedAt: Instant | undefined
  /** From when on the price or the exchange rate is too old. */
  readonly staleAfter: Instant
  /** quantity x unitPrice in `currency`; undefined when it cannot be priced. */
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
      ...leftOutIssues(state, quotes, now),
      ...assets.flatMap((asset) => splitIssues(asset, quotes)),
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
    symbol: open[0]?.instrument?.symbol ?? instrumentId,
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

interface Currencies {
  readonly quotes: QuoteSource
  readonly baseCurrency: string
  readonly toReporting: ReturnType<typeof exchangeRate>
}

function valueHolding(holding: Holding, price: Price, currencies: Currencies): Position {
  const { quotes, toReporting } = currencies
  const shownRate = toReporting?.rate
  const { unitPrice } = price
  const conversion = unitPrice && conversionOf(price, currencies)
  const rate = conversion?.rate
  const marketValue = unitPrice && multiply(holding.quantity, unitPrice)
  const value = marketValue && rate ? convert(marketValue, rate) : undefined
  const costBasis = shownRate === undefined ? ZERO : convert(holding.basis, shownRate)
  return {
    holding,
    instrument: quotes.instruments?.get(holding.instrumentId),
    price: price.price,
    unitPrice,
    currency: price.currency,
    pricedAt: price.pricedAt,
    source: price.source,
    exchangeRate: rate,
    valuedAt: oldest(price.pricedAt, conversion?.pricedAt),
    staleAfter: Math.min(price.staleAfter, staleAfterOf(conversion?.pricedAt)),
    marketValue,
    value: value ?? ZERO,
    costBasis,
    unrealized: unrealizedOf(value, holding, costBasis),
  }
}

/** Units of unknown cost count in the value, not in the result. */
function unrealizedOf(
  value: Decimal | undefined,
  { quantity, unknownQuantity }: Holding,
  costBasis: Decimal,
): Decimal {
  if (value === undefined) return ZERO
  if (unknownQuantity.isZero()) return value.minus(costBasis)
  return share(value, quantity.minus(unknownQuantity), quantity).minus(costBasis)
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
    const symbol = position.instrument?.symbol ?? instrumentId
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
function splitIssues(
  { instrumentId, symbol }: Asset,
  quotes: QuoteSource,
): readonly QualityIssue[] {
  if (!quotes.isSplitSuspected?.(instrumentId)) return []
  const detail = 'the price jumped as in a split, and none is recorded'
  return [{ symbol, reason: 'SPLIT_SUSPECTED', detail }]
}

function qualityOf(positions: readonly Position[], issues: readonly QualityIssue[]): Quality {
  let pricedAt: Instant | undefined
  for (const { valuedAt } of positions) pricedAt = oldest(pricedAt, valuedAt)
  const has = (...reasons: QualityIssue['reason'][]): boolean =>
    issues.some((issue) => reasons.includes(issue.reason))
  const stale = has('PRICE_STALE', 'SPLIT_SUSPECTED') ? 'STALE' : 'COMPLETE'
  const completeness = has('PRICE_MISSING', 'FX_MISSING', 'ACTION_LEFT_OUT') ? 'PARTIAL' : stale
  return { completeness, pricedAt, issues }
}
