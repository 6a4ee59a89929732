import { actionNumbers, rateOfPayment } from '../../domain/analytics/action-numbers.ts'
import { type CloseMatrix, lastCloseDay } from '../../domain/analytics/close-matrix.ts'
import type { JobComponent, Payouts } from '../../domain/analytics/compare-job.ts'
import { dayNumberOf, dayText, type EpochDay } from '../../domain/analytics/epoch-day.ts'
import { SAME_CURRENCY } from '../../domain/analytics/valued-ledger.ts'
import type { CorporateAction } from '../../domain/market-data/corporate-action.ts'
import {
  type Instrument,
  type InstrumentSource,
  ruleOf,
  symbolOf,
} from '../../domain/market-data/instrument.ts'
import { priceInLastUnits } from '../../domain/market-data/paired-quote.ts'
import type { QualityIssue } from '../../domain/portfolio/quality.ts'
import type { AnalyticsPorts } from './analytics-ports.ts'
import { staleIssue } from './end-quality.ts'
import type { AnalyzedPortfolio } from './one-portfolio.ts'
import { classOf } from './valued-ledger.ts'

export interface PricedComponent extends Omit<JobComponent, 'weight'> {
  readonly instrumentId: string
  /** What it paid is in its level, or there is nothing that it could pay. */
  readonly isTotalReturn: boolean
  readonly issues: readonly QualityIssue[]
}

/** The classification that says of an index that its prices have what it pays in them. */
const PRICE_HISTORY = 'price_history'
const WITH_PAYOUTS = 'TOTAL_RETURN'

/**
 * What an instrument is as a part of a benchmark: its closes, which splits change nothing of, and the dividends recorded
 * for it. Units of another instrument that it gave are in no level: they are named.
 * @param groupNames the asset classes held, in the order of the ledger's groups.
 */
export function pricedComponent(
  { instruments, clock }: Pick<AnalyticsPorts, 'instruments' | 'clock'>,
  { prices, ledger, reportingCurrency }: AnalyzedPortfolio,
  instrumentId: string,
  of: { readonly groupNames: readonly string[]; readonly toDay: EpochDay },
): PricedComponent {
  const { closes, actions } = prices
  const { timeZone, baseCurrency } = ledger
  const currency = closes.currencyOf(instrumentId) || baseCurrency
  const due = actions.dueAt(clock.now()).of(instrumentId)
  const past = due.filter(({ effectiveAt }) => dayNumberOf(effectiveAt, timeZone) <= of.toDay)
  const instrument = instruments.get(instrumentId)
  const dividends = hasPayouts(instrument) ? [] : past.filter(isDividend)
  const known = dividends.filter((action) => !Number.isNaN(rateOfPayment(action, currency)))
  const leftOut = past.some(gaveUnits) || known.length < dividends.length
  const detail = 'a corporate action of the benchmark is not in its level'
  const symbol = symbolOf(instruments, instrumentId)
  return {
    instrumentId,
    priceRow: closes.rowOf(instrumentId),
    rate: closes.rateRow(currency, reportingCurrency),
    group: of.groupNames.indexOf(classOf(instruments, instrumentId)),
    payouts: payoutsOf(known, { all: actions.of(instrumentId), currency, timeZone }),
    isTotalReturn: !leftOut && (known.length > 0 || hasPayouts(instrument)),
    issues: leftOut ? [{ symbol, reason: 'ACTION_LEFT_OUT', detail }] : [],
  }
}

/** What keeps a component from being a measure of the days from the evening before `startDay` to `endDay`. */
export function levelIssues(
  instruments: InstrumentSource,
  { instrumentId, priceRow, rate }: PricedComponent,
  { matrix, startDay, endDay }: { matrix: CloseMatrix; startDay: EpochDay; endDay: EpochDay },
): readonly QualityIssue[] {
  const symbol = symbolOf(instruments, instrumentId)
  const before = startDay - 1
  const pricedOn = lastCloseDay(matrix, priceRow, endDay)
  if (pricedOn === undefined || lastCloseDay(matrix, priceRow, before) === undefined) {
    const detail = `the benchmark has no price of ${dayText(before)} or before`
    return [{ symbol, reason: 'PRICE_MISSING', detail }]
  }
  if (rate !== SAME_CURRENCY && lastCloseDay(matrix, rate, before) === undefined) {
    const detail = `no exchange rate of ${dayText(before)} or before is known for the benchmark`
    return [{ symbol, reason: 'FX_MISSING', detail }]
  }
  const stale = staleIssue(instruments, { instrumentId, pricedOn }, endDay)
  return stale === undefined ? [] : [{ symbol, ...stale }]
}

function payoutsOf(
  dividends: readonly CorporateAction[],
  of: {
    readonly all: readonly CorporateAction[]
    readonly currency: string
    readonly timeZone: string
  },
): Payouts {
  return {
    days: Int32Array.from(dividends, ({ effectiveAt }) => dayNumberOf(effectiveAt, of.timeZone)),
    // Of one day the dividend comes before a split: it is of the units of just before.
    perUnit: Float64Array.from(dividends, (action) => {
      const amount = actionNumbers(action).perUnit * rateOfPayment(action, of.currency)
      return amount * priceInLastUnits(of.all, action.effectiveAt - 1)
    }),
  }
}

/** Its prices have them in already, or it is money, which pays nothing. */
function hasPayouts(instrument: Instrument | undefined): boolean {
  if (instrument === undefined) return false
  return ruleOf(instrument).isMoney || instrument.classifications[PRICE_HISTORY] === WITH_PAYOUTS
}

function isDividend({ terms }: CorporateAction): boolean {
  return terms.kind === 'CASH_DIVIDEND'
}

function gaveUnits({ terms }: CorporateAction): boolean {
  return terms.kind === 'SPIN_OFF' || terms.kind === 'MERGER'
}
