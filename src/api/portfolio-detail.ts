import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Detail, DetailResult } from '../domain/portfolio/detail.ts'
import type { Completeness } from '../domain/portfolio/quality.ts'
import { type Instant, MICROSECONDS_PER_SECOND } from '../domain/time.ts'
import {
  AssetClass,
  type DataQualitySchema,
  DataQuality_Completeness as SentCompleteness,
} from '../../gen/portfolio/v1/common_pb.ts'
import type {
  PortfolioDetailSchema,
  PositionSchema,
  ProfitLossSchema,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { timestampOf } from './instant.ts'

/** Which state a detail is of. */
export interface DetailFacts {
  readonly userId: string
  readonly version: number
  readonly at: Instant
  readonly recordedUntil: Instant | undefined
}

/** The valuation in exact decimals. What is not told apart, such as a currency effect, is left empty, never "0". */
export function presentDetail(
  detail: Detail,
  { userId, version, at, recordedUntil }: DetailFacts,
): MessageInitShape<typeof PortfolioDetailSchema> {
  return {
    userId,
    reportingCurrency: detail.reportingCurrency,
    temporal: {
      effectiveAt: timestampOf(at),
      ...(recordedUntil === undefined ? {} : { asKnownAt: timestampOf(recordedUntil) }),
    },
    version: BigInt(version),
    totalValue: detail.totalValue,
    investedValue: detail.investedValue,
    cashValue: detail.cashValue,
    costBasis: detail.costBasis,
    profitLoss: { ...presentResult(detail.result), simpleReturn: detail.simpleReturn },
    positions: detail.positions.map(presentPosition),
    allocation: [...detail.allocation],
    quality: presentQuality(detail, at),
  }
}

function presentResult(result: DetailResult): MessageInitShape<typeof ProfitLossSchema> {
  return { ...result }
}

function presentPosition(
  position: Detail['positions'][number],
): MessageInitShape<typeof PositionSchema> {
  const { pricedAt } = position
  return {
    symbol: position.symbol,
    instrumentId: position.instrumentId,
    currencyCode: position.currency,
    quantity: position.quantity,
    multiplier: position.multiplier,
    assetClass: AssetClass[position.assetClass ?? 'UNSPECIFIED'],
    averageCost: position.averageCost,
    costBasis: position.costBasis,
    price: position.price,
    ...(pricedAt === undefined ? {} : { pricedAt: timestampOf(pricedAt) }),
    priceSource: position.source,
    marketValue: position.marketValue,
    value: position.value,
    fxRate: position.exchangeRate,
    weight: position.weight,
    profitLoss: presentResult(position.result),
    lotCount: position.lotCount,
    basisComplete: position.basisComplete,
    accountId: position.accountId,
  }
}

const COMPLETENESS: Readonly<Record<Completeness, SentCompleteness>> = {
  COMPLETE: SentCompleteness.COMPLETE,
  STALE: SentCompleteness.STALE,
  PARTIAL: SentCompleteness.PARTIAL,
}

/** How far numbers can be trusted at a moment. */
export function presentQuality(
  { quality }: Pick<Detail, 'quality'>,
  at: Instant,
): MessageInitShape<typeof DataQualitySchema> {
  const { pricedAt } = quality
  return {
    completeness: COMPLETENESS[quality.completeness],
    ...(pricedAt === undefined
      ? {}
      : {
          pricedAt: timestampOf(pricedAt),
          maxPriceAge: durationOf(Math.max(0, at - pricedAt)),
        }),
    issues: [...quality.issues],
  }
}

export function durationOf(microseconds: number): { seconds: bigint; nanos: number } {
  const seconds = Math.floor(microseconds / MICROSECONDS_PER_SECOND)
  const nanos = (microseconds - seconds * MICROSECONDS_PER_SECOND) * 1_000
  return { seconds: BigInt(seconds), nanos }
}
