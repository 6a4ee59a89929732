import { type Decimal, decimalText, minus, ONE, quotientText, Total } from '../decimal.ts'
import type { AssetClass } from '../market-data/asset-class.ts'
import type { Instant } from '../time.ts'
import type { CurrencyEffects } from './currency-effect.ts'
import type { Quality } from './quality.ts'
import type { Result } from './result.ts'
import { type Position, positionSymbol } from './position.ts'
import { resultOfPosition, type Valuation } from './valuation.ts'

/** A valuation as plain data, decimals as texts: what an answer shows, stores and replays word for word. */
export interface Detail {
  readonly reportingCurrency: string
  readonly totalValue: string
  readonly investedValue: string
  readonly cashValue: string
  readonly costBasis: string
  readonly result: DetailResult
  readonly simpleReturn: string
  readonly positions: readonly DetailPosition[]
  readonly allocation: readonly AllocationSlice[]
  readonly quality: Quality
}

/** `currencyEffect` is the part of the total that exchange rates made; empty = not told apart. */
export type DetailResult = Readonly<Record<keyof Result | 'currencyEffect', string>>

/** What an answer shows of a position: what it says of the holding, of its price, and of what it is worth at that. */
export type DetailPosition = HeldFacts & PricedFacts & WorthFacts

/** The same whatever the price is. */
export interface HeldFacts {
  readonly instrumentId: string
  readonly symbol: string
  /** Undefined = no reference data knows the instrument. */
  readonly assetClass: AssetClass | undefined
  readonly multiplier: string
  readonly accountId: string
  readonly quantity: string
  /** Empty when no unit's cost is known. */
  readonly averageCost: string
  readonly costBasis: string
  readonly lotCount: number
  readonly basisComplete: boolean
}

/** The same for all who hold the instrument. */
export interface PricedFacts {
  readonly currency: string
  /** Empty when there is no price. */
  readonly price: string
  readonly pricedAt: Instant | undefined
  readonly source: string
  readonly exchangeRate: string
}

export interface WorthFacts {
  readonly marketValue: string
  readonly value: string
  readonly weight: string
  readonly result: DetailResult
}

interface AllocationSlice {
  readonly dimension: 'currency' | 'account'
  readonly key: string
  readonly value: string
  readonly weight: string
}

/** Without `effects` the part of exchange rates is left empty, never "0". */
export function detailOf(valuation: Valuation, effects?: CurrencyEffects): Detail {
  return {
    ...totalsOf(valuation, effects),
    positions: valuation.positions.map((position) =>
      // Not spread into one: V8 takes a hundred times as long for that.
      Object.assign(
        heldFacts(position),
        pricedFacts(position),
        worthFacts(position, valuation, effects),
      ),
    ),
  }
}

/** A detail without its positions. */
export function totalsOf(
  valuation: Valuation,
  effects: CurrencyEffects | undefined,
): Omit<Detail, 'positions'> {
  const { totalValue, cashValue, result } = valuation
  return {
    reportingCurrency: valuation.reportingCurrency,
    totalValue: decimalText(totalValue),
    investedValue: decimalText(minus(totalValue, cashValue)),
    cashValue: decimalText(cashValue),
    costBasis: decimalText(valuation.costBasis),
    result: resultTexts(result, effects?.total),
    simpleReturn: decimalText(valuation.simpleReturn),
    allocation: allocationOf(valuation),
    quality: valuation.quality,
  }
}

function heldFacts(position: Position): HeldFacts {
  const { holding, instrument, costBasis } = position
  return {
    instrumentId: holding.instrumentId,
    symbol: positionSymbol(position),
    assetClass: instrument?.assetClass,
    multiplier: decimalText(instrument?.multiplier ?? ONE),
    accountId: holding.accountId,
    quantity: decimalText(holding.quantity),
    averageCost: averageCostText(position),
    costBasis: decimalText(costBasis),
    lotCount: holding.lotCount,
    basisComplete: holding.unknownQuantity.isZero(),
  }
}

/** Of the units whose cost is known; empty when there are none. */
export function averageCostText({ holding, costBasis }: Position): string {
  const known = minus(holding.quantity, holding.unknownQuantity)
  return known.isZero() ? '' : quotientText(costBasis, known)
}

export function pricedFacts(position: Position): PricedFacts {
  return {
    currency: position.currency,
    price: optionalText(position.price),
    pricedAt: position.pricedAt,
    source: position.source,
    exchangeRate: optionalText(position.exchangeRate),
  }
}

function worthFacts(
  position: Position,
  valuation: Valuation,
  effects: CurrencyEffects | undefined,
): WorthFacts {
  const { value, marketValue } = position
  const valueText = decimalText(value)
  return {
    // One and the same number where no money is converted.
    marketValue: marketValue === value ? valueText : optionalText(marketValue),
    value: valueText,
    weight: weightText(value, valuation.totalValue),
    result: resultTexts(resultOfPosition(position, valuation), effects?.of(position)),
  }
}

/** Slices of the total value by currency, cash included, and by account. */
function allocationOf({ positions, cash, totalValue }: Valuation): readonly AllocationSlice[] {
  const byCurrency = new Map<string, Total>()
  const byAccount = new Map<string, Total>()
  for (const { currency, value, holding } of positions) {
    add(byCurrency, currency, value)
    add(byAccount, holding.accountId, value)
  }
  for (const { currency, value } of cash) add(byCurrency, currency, value)
  return [
    ...slices('currency', byCurrency, totalValue),
    ...slices('account', byAccount, totalValue),
  ]
}

function slices(
  dimension: AllocationSlice['dimension'],
  totals: ReadonlyMap<string, Total>,
  totalValue: Decimal,
): readonly AllocationSlice[] {
  return [...totals]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, { value }]) => ({
      dimension,
      key,
      value: decimalText(value),
      weight: weightText(value, totalValue),
    }))
}

/** Share of a value in the total value, a fraction; zero when there is no value. */
export function weightText(value: Decimal, totalValue: Decimal): string {
  return totalValue.isZero() ? '0' : quotientText(value, totalValue)
}

function add(totals: Map<string, Total>, key: string, value: Decimal): void {
  let total = totals.get(key)
  if (total === undefined) {
    total = new Total()
    totals.set(key, total)
  }
  total.add(value)
}

function resultTexts(result: Result, currencyEffect: Decimal | undefined): DetailResult {
  const unrealized = decimalText(result.unrealized)
  return {
    realized: decimalText(result.realized),
    unrealized,
    income: decimalText(result.income),
    fees: decimalText(result.fees),
    taxes: decimalText(result.taxes),
    total: result.total === result.unrealized ? unrealized : decimalText(result.total),
    currencyEffect: optionalText(currencyEffect),
  }
}

function optionalText(value: Decimal | undefined): string {
  return value === undefined ? '' : decimalText(value)
}
