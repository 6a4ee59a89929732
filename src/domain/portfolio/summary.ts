import { hash } from 'node:crypto'
import { type Decimal, decimal, decimalText, multiply, nearestDouble } from '../decimal.ts'
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
    totalValue: nearestDouble(valuation.totalValue),
    totalProfitLoss: nearestDouble(valuation.result.total),
    performancePercentage: nearestDouble(multiply(valuation.simpleReturn, HUNDRED)),
    assets: valuation.assets.map((asset) => ({
      symbol: asset.symbol,
      quantity: nearestDouble(asset.quantity),
      currentValue: nearestDouble(asset.value),
      profitLoss: nearestDouble(asset.profitLoss),
    })),
  }
}

/** Eight hex digits that change with any price, rate or quality a valuation used: the prices' part of an etag. */
export function pricesDigest(valuation: Valuation): string {
  let facts = valuation.reportingCurrency + decimalText(valuation.result.total)
  for (const { instrument, price, exchangeRate, valuedAt } of valuation.positions) {
    facts += `|${instrument?.symbol} ${textOf(price)} ${textOf(exchangeRate)} ${valuedAt}`
  }
  for (const { amount, exchangeRate } of valuation.cash) {
    facts += `|${decimalText(amount)} ${textOf(exchangeRate)}`
  }
  return hash('sha256', facts + valuation.quality.completeness).slice(0, 8)
}

function textOf(value: Decimal | undefined): string {
  return value === undefined ? '' : decimalText(value)
}
