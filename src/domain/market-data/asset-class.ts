import { type Decimal, decimal, ONE } from '../decimal.ts'
import { type Instant, MICROSECONDS_PER_DAY } from '../time.ts'
import type { TradingCalendar } from './trading-calendar.ts'

/** When prices of a class come. */
interface Pricing {
  /** From when on a price of that moment is stale. */
  staleAfter(pricedAt: Instant, calendar: TradingCalendar): Instant
  /** When the next price can exist: `now` where it can at any moment (decision 39). */
  nextPriceAt(pricedAt: Instant, now: Instant, calendar: TradingCalendar): Instant
}

/** What sets an outlier apart: a move a day of more than `moveMax`, a fraction, that nothing confirms in time. */
export interface OutlierRule {
  readonly moveMax: Decimal
  /** A quote priced at most this long before or after it confirms it; microseconds. */
  readonly window: number
}

/** Each class declares its own answers; nobody else asks for one by name. */
export interface AssetClassRule {
  readonly pricing: Pricing
  /** Decimals that a quantity has where the instrument says nothing else. */
  readonly quantityScale: number
  /** Units that a price is for: bonds are quoted per 100 nominal. */
  readonly priceDivisor: Decimal
  readonly outlier: OutlierRule
  /** True where one unit is one unit of its currency, without any quote. */
  readonly isMoney: boolean
  /** True where nobody can guess how many units a contract stands for. */
  readonly isContract: boolean
}

const HOUR = 3_600_000_000
/** A long weekend passes. */
const LONG_WEEKEND = 4 * MICROSECONDS_PER_DAY

/** Stale when a whole trading day, or several, went by without a price; nothing new until the next opening. */
function traded(tradingDays: number): Pricing {
  return {
    staleAfter: (pricedAt, calendar) => calendar.endOfTradingDay(pricedAt, tradingDays),
    nextPriceAt: (_pricedAt, now, calendar) => calendar.nextTradeAt(now),
  }
}

/** A net asset value is of a day, and told on the next one. */
const daily: Pricing = {
  staleAfter: (pricedAt, calendar) => calendar.endOfTradingDay(pricedAt, 2),
  nextPriceAt: (pricedAt, now, calendar) => Math.max(now, calendar.startOfNextTradingDay(pricedAt)),
}

const always: Pricing = {
  staleAfter: (pricedAt) => pricedAt + MICROSECONDS_PER_DAY,
  nextPriceAt: (_pricedAt, now) => now,
}

function appraised(days: number): Pricing {
  return {
    staleAfter: (pricedAt) => pricedAt + days * MICROSECONDS_PER_DAY,
    nextPriceAt: (_pricedAt, now) => now + HOUR,
  }
}

const never: Pricing = {
  staleAfter: () => Number.POSITIVE_INFINITY,
  nextPriceAt: () => Number.POSITIVE_INFINITY,
}

/** A quarter of its value in a day is rare for a share, and told by the next quote. */
const QUARTER: OutlierRule = { moveMax: decimal('0.25'), window: LONG_WEEKEND }
const THIRD: OutlierRule = { moveMax: decimal('0.35'), window: LONG_WEEKEND }

const listed: AssetClassRule = {
  pricing: traded(1),
  quantityScale: 9,
  priceDivisor: ONE,
  outlier: QUARTER,
  isMoney: false,
  isContract: false,
}

/** Asset classes by the contract's names. */
export const assetClasses = {
  EQUITY: listed,
  ETF: listed,
  MUTUAL_FUND: { ...listed, pricing: daily },
  // Many bonds do not trade every day.
  FIXED_INCOME: {
    ...listed,
    pricing: traded(2),
    quantityScale: 6,
    priceDivisor: decimal(100),
  },
  CRYPTO: {
    ...listed,
    pricing: always,
    quantityScale: 18,
    outlier: { moveMax: decimal('0.6'), window: HOUR },
  },
  COMMODITY: { ...listed, outlier: THIRD },
  CASH: { ...listed, pricing: never, quantityScale: 8, isMoney: true },
  // Upwards alone: an option loses all its value in the usual course of things.
  OPTION: {
    ...listed,
    quantityScale: 0,
    outlier: { moveMax: decimal(5), window: LONG_WEEKEND },
    isContract: true,
  },
  FUTURE: { ...listed, quantityScale: 0, outlier: THIRD, isContract: true },
  REAL_ESTATE: { ...listed, pricing: appraised(400), quantityScale: 6 },
  ALTERNATIVE: { ...listed, pricing: appraised(200), quantityScale: 8 },
} as const satisfies Record<string, AssetClassRule>

export type AssetClass = keyof typeof assetClasses

/** Of instruments that no reference data knows, exchange rates included. */
export const UNCLASSIFIED_OUTLIER: OutlierRule = QUARTER
