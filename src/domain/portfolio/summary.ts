import { decimal, multiply, nearestDouble } from '../decimal.ts'
import { Murmur } from '../murmur.ts'
import type { Valuation } from './valuation.ts'

/** The specification's summary: doubles, each the nearest to the exact decimal. */
export interface Summary {
  readonly totalValue: number
  readonly totalProfitLoss: number
  /** 12.5 means 12.5 %. */
  readonly performancePercentage: number
  readonly assets: readonly {
    readonly symbol: string
    readonly quantity: number
    readonly currentValue: number
    readonly profitLoss: number
  }[]
}

const HUNDRED = decimal(100)

export function summaryOf(valuation: Valuation): Summary {
  return {
    ...summaryTotalsOf(valuation),
    assets: valuation.assets.map((asset) => ({
      symbol: asset.symbol,
      quantity: nearestDouble(asset.quantity),
      currentValue: nearestDouble(asset.value),
      profitLoss: nearestDouble(asset.profitLoss),
    })),
  }
}

/** A summary without its assets. */
export function summaryTotalsOf(valuation: Valuation): Omit<Summary, 'assets'> {
  return {
    totalValue: nearestDouble(valuation.totalValue),
    totalProfitLoss: nearestDouble(valuation.result.total),
    performancePercentage: nearestDouble(multiply(valuation.simpleReturn, HUNDRED)),
  }
}

/**
 * Eight hex digits that change with what a valuation shows beside the state: prices, rates, quality and what reference
 * data says of an instrument; the prices' part of an etag. At a past moment quantities are not those of the state either.
 */
export function pricesDigest(valuation: Valuation): string {
  const digest = new Murmur()
  digest.text(valuation.reportingCurrency)
  digest.decimal(valuation.result.total)
  for (const position of valuation.positions) {
    const { instrument } = position
    digest.decimal(position.holding.quantity)
    digest.text(instrument?.symbol ?? '')
    digest.text(instrument?.assetClass ?? '')
    digest.decimal(instrument?.multiplier)
    digest.decimal(position.price)
    digest.text(position.source)
    digest.text(position.currency)
    digest.decimal(position.exchangeRate)
    digest.whole(position.valuedAt)
  }
  for (const { amount, exchangeRate } of valuation.cash) {
    digest.decimal(amount)
    digest.decimal(exchangeRate)
  }
  const { completeness, issues } = valuation.quality
  digest.text(completeness)
  for (const { symbol, reason } of issues) {
    digest.text(symbol)
    digest.text(reason)
  }
  return digest.hex
}
