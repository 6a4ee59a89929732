import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Detail, HeldFacts, PricedFacts, WorthFacts } from '../domain/portfolio/detail.ts'
import type { Completeness } from '../domain/portfolio/quality.ts'
import { type Instant, MICROSECONDS_PER_SECOND } from '../domain/time.ts'
import {
  AssetClass,
  type DataQualitySchema,
  DataQuality_Completeness as SentCompleteness,
} from '../../gen/portfolio/v1/common_pb.ts'
import type { PortfolioDetailSchema } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
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
  facts: DetailFacts,
): MessageInitShape<typeof PortfolioDetailSchema> {
  const positions = detail.positions.map((position) =>
    Object.assign(presentHeld(position), presentPriced(position), presentWorth(position)),
  )
  return Object.assign(presentTotals(detail, facts), { positions })
}

/** All of a detail but its positions. */
export function presentTotals(
  detail: Omit<Detail, 'positions'>,
  { userId, version, at, recordedUntil }: DetailFacts,
) {
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
    profitLoss: { ...detail.result, simpleReturn: detail.simpleReturn },
    allocation: [...detail.allocation],
    quality: presentQuality(detail, at),
  }
}

function presentHeld(held: HeldFacts) {
  return {
    symbol: held.symbol,
    instrumentId: held.instrumentId,
    quantity: held.quantity,
    multiplier: held.multiplier,
    assetClass: AssetClass[held.assetClass ?? 'UNSPECIFIED'],
    averageCost: held.averageCost,
    costBasis: held.costBasis,
    lotCount: held.lotCount,
    basisComplete: held.basisComplete,
    accountId: held.accountId,
  }
}

export function presentPriced(priced: PricedFacts) {
  const { pricedAt } = priced
  return {
    currencyCode: priced.currency,
    price: priced.price,
    ...(pricedAt === undefined ? {} : { pricedAt: timestampOf(pricedAt) }),
    priceSource: priced.source,
    fxRate: priced.exchangeRate,
  }
}

function presentWorth({ marketValue, value, weight, result }: WorthFacts) {
  return { marketValue, value, weight, profitLoss: result }
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
