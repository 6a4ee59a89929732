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

/** Eight hex digits that change with any price, rate or quality a valuation used: the prices' part of an etag. */
export function pricesDigest(valuation: Valuation): string {
  const digest = new Murmur()
  digest.text(valuation.reportingCurrency)
  digest.decimal(valuation.result.total)
  for (const { instrument, price, exchangeRate, valuedAt } of valuation.positions) {
    digest.text(instrument?.symbol ?? '')
    digest.decimal(price)
    digest.decimal(exchangeRate)
    digest.whole(valuedAt)
  }
  for (const { amount, exchangeRate } of valuation.cash) {
    digest.decimal(amount)
    digest.decimal(exchangeRate)
  }
  digest.text(valuation.quality.completeness)
  return digest.hex
}
