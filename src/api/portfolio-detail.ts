import type { MessageInitShape } from '@bufbuild/protobuf'
import type { PortfolioView } from '../app/portfolio/get-portfolio.ts'
import { type Decimal, decimalText, divide, ZERO } from '../domain/decimal.ts'
import {
  type Completeness,
  type Position,
  type Valuation,
  weightOf,
} from '../domain/portfolio/valuation.ts'
import { MICROSECONDS_PER_SECOND } from '../domain/time.ts'
import {
  type DataQualitySchema,
  DataQuality_Completeness as SentCompleteness,
} from '../../gen/portfolio/v1/common_pb.ts'
import type {
  AllocationSliceSchema,
  PortfolioDetailSchema,
  PositionSchema,
  ProfitLossSchema,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { timestampOf } from './instant.ts'

/** The valuation in exact decimals. What is not tracked yet, such as the currency effect, is left empty, never "0". */
export function presentDetail(view: PortfolioView): MessageInitShape<typeof PortfolioDetailSchema> {
  const { valuation } = view
  const totalValue = decimalText(valuation.totalValue)
  return {
    userId: view.userId,
    reportingCurrency: valuation.reportingCurrency,
    temporal: {
      effectiveAt: timestampOf(view.at ?? view.computedAt),
      ...(view.recordedUntil === undefined ? {} : { asKnownAt: timestampOf(view.recordedUntil) }),
    },
    version: BigInt(view.version),
    totalValue,
    investedValue: totalValue,
    costBasis: decimalText(valuation.costBasis),
    profitLoss: {
      ...presentProfitLoss(valuation),
      simpleReturn: decimalText(valuation.simpleReturn),
    },
    positions: valuation.positions.map((position) => presentPosition(position, valuation)),
    allocation: [
      ...allocationBy('currency', valuation, (position) => position.currency),
      ...allocationBy('account', valuation, (position) => position.holding.accountId),
    ],
    quality: presentQuality(view),
  }
}

function presentProfitLoss(result: {
  readonly profitLoss: Decimal
  readonly realized: Decimal
  readonly unrealized: Decimal
}): MessageInitShape<typeof ProfitLossSchema> {
  return {
    total: decimalText(result.profitLoss),
    realized: decimalText(result.realized),
    unrealized: decimalText(result.unrealized),
    income: '0',
    fees: '0',
    taxes: '0',
  }
}

function presentPosition(
  position: Position,
  { totalValue }: Valuation,
): MessageInitShape<typeof PositionSchema> {
  const { holding, pricedAt } = position
  const known = holding.quantity.minus(holding.unknownQuantity)
  return {
    symbol: holding.instrumentId,
    instrumentId: holding.instrumentId,
    currencyCode: position.currency,
    quantity: decimalText(holding.quantity),
    multiplier: '1',
    averageCost: known.isZero() ? '' : decimalText(divide(position.costBasis, known)),
    costBasis: decimalText(position.costBasis),
    price: optionalText(position.price),
    ...(pricedAt === undefined ? {} : { pricedAt: timestampOf(pricedAt) }),
    priceSource: position.source,
    marketValue: optionalText(position.marketValue),
    value: decimalText(position.value),
    fxRate: optionalText(position.exchangeRate),
    weight: decimalText(weightOf(position, totalValue)),
    profitLoss: presentProfitLoss(position),
    lotCount: holding.lotCount,
    basisComplete: holding.unknownQuantity.isZero(),
    accountId: holding.accountId,
  }
}

function optionalText(value: Decimal | undefined): string {
  return value === undefined ? '' : decimalText(value)
}

function allocationBy(
  dimension: string,
  { positions, totalValue }: Valuation,
  keyOf: (position: Position) => string,
): MessageInitShape<typeof AllocationSliceSchema>[] {
  const values = new Map<string, Decimal>()
  for (const position of positions) {
    const key = keyOf(position)
    values.set(key, (values.get(key) ?? ZERO).plus(position.value))
  }
  return [...values].map(([key, value]) => ({
    dimension,
    key,
    value: decimalText(value),
    weight: totalValue.isZero() ? '0' : decimalText(divide(value, totalValue)),
  }))
}

const COMPLETENESS: Readonly<Record<Completeness, SentCompleteness>> = {
  COMPLETE: SentCompleteness.COMPLETE,
  STALE: SentCompleteness.STALE,
  PARTIAL: SentCompleteness.PARTIAL,
}

function presentQuality({
  valuation: { quality },
  at,
  computedAt,
}: PortfolioView): MessageInitShape<typeof DataQualitySchema> {
  const { pricedAt } = quality
  return {
    completeness: COMPLETENESS[quality.completeness],
    ...(pricedAt === undefined
      ? {}
      : {
          pricedAt: timestampOf(pricedAt),
          maxPriceAge: durationOf(Math.max(0, (at ?? computedAt) - pricedAt)),
        }),
    issues: quality.issues.map(({ instrumentId, reason, detail }) => ({
      symbol: instrumentId,
      reason,
      detail,
    })),
  }
}

function durationOf(microseconds: number): { seconds: bigint; nanos: number } {
  const seconds = Math.floor(microseconds / MICROSECONDS_PER_SECOND)
  const nanos = (microseconds - seconds * MICROSECONDS_PER_SECOND) * 1_000
  return { seconds: BigInt(seconds), nanos }
}
