import { actionNumbers, rateOfPayment } from '../../domain/analytics/action-numbers.ts'
import type { JobComponent, Payouts } from '../../domain/analytics/compare-job.ts'
import { dayNumberOf, type EpochDay } from '../../domain/analytics/epoch-day.ts'
import type { CorporateAction } from '../../domain/market-data/corporate-action.ts'
import { type Instrument, ruleOf, symbolOf } from '../../domain/market-data/instrument.ts'
import { priceInLastUnits } from '../../domain/market-data/paired-quote.ts'
import type { QualityIssue } from '../../domain/portfolio/quality.ts'
import type { AnalyticsPorts } from './analytics-ports.ts'
import type { AnalyzedPortfolio } from './one-portfolio.ts'
import { classOf } from './valued-ledger.ts'

export interface PricedComponent extends Omit<JobComponent, 'weight'> {
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
    priceRow: closes.rowOf(instrumentId),
    rate: closes.rateRow(currency, reportingCurrency),
    group: of.groupNames.indexOf(classOf(instruments, instrumentId)),
    payouts: payoutsOf(known, { all: actions.of(instrumentId), currency, timeZone }),
    isTotalReturn: !leftOut && (known.length > 0 || hasPayouts(instrument)),
    issues: leftOut ? [{ symbol, reason: 'ACTION_LEFT_OUT', detail }] : [],
  }
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
