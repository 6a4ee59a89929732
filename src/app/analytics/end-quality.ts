import type { EndHoldings } from '../../domain/analytics/analyze-job.ts'
import type { EpochDay } from '../../domain/analytics/epoch-day.ts'
import { dayText } from '../../domain/analytics/epoch-day.ts'
import { NO_RATE, type ValuedLedger } from '../../domain/analytics/valued-ledger.ts'
import type { ActedLedger } from '../../domain/analytics/fold-actions.ts'
import { type InstrumentSource, ruleOf, symbolOf } from '../../domain/market-data/instrument.ts'
import { PRICE_AGE_MAX_MICROSECONDS } from '../../domain/market-data/quote.ts'
import { tradingCalendar } from '../../domain/market-data/trading-calendar.ts'
import type { Quality, QualityIssue } from '../../domain/portfolio/quality.ts'
import { MICROSECONDS_PER_DAY } from '../../domain/time.ts'

/** How far the values at the end of a period can be trusted; issues name symbols. */
export function qualityOf(
  end: EndHoldings,
  ledger: { readonly valued: ValuedLedger } & ActedLedger,
  instruments: InstrumentSource,
  toDay: EpochDay,
): Quality {
  const issues: QualityIssue[] = []
  let oldest: EpochDay | undefined
  for (const [part, instrumentId] of ledger.ledger.instrumentIds.entries()) {
    if (ledger.leftOut.has(instrumentId)) {
      const detail = 'a corporate action cannot be applied to what was recorded: it is left out'
      const symbol = symbolOf(instruments, instrumentId)
      issues.push({ symbol, reason: 'ACTION_LEFT_OUT', detail })
    }
    if ((end.quantities[part] ?? 0) === 0) continue
    const pricedOn = end.pricedOn[part] ?? 0
    if (pricedOn !== 0) oldest = Math.min(oldest ?? pricedOn, pricedOn)
    const issue = issueOf({ pricedOn, value: end.values[part] ?? NaN, instrumentId })
    if (issue !== undefined) issues.push({ symbol: symbolOf(instruments, instrumentId), ...issue })
  }
  return {
    completeness: completenessOf(issues),
    pricedAt: oldest === undefined ? undefined : oldest * MICROSECONDS_PER_DAY,
    issues,
  }

  function issueOf(held: {
    pricedOn: EpochDay
    value: number
    instrumentId: string
  }): Omit<QualityIssue, 'symbol'> | undefined {
    if (Number.isNaN(held.value)) {
      const hasNoRate = held.pricedOn !== 0 || ledger.valued.baseRate === NO_RATE
      return hasNoRate
        ? { reason: 'FX_MISSING', detail: 'no exchange rate is known' }
        : { reason: 'PRICE_MISSING', detail: 'there is neither a quote nor a trade' }
    }
    return held.pricedOn === 0 ? undefined : staleIssue(instruments, held, toDay)
  }
}

/** Undefined where a price of its day is no older than those of its instrument may be. */
export function staleIssue(
  instruments: InstrumentSource,
  held: { readonly instrumentId: string; readonly pricedOn: EpochDay },
  toDay: EpochDay,
): Omit<QualityIssue, 'symbol'> | undefined {
  if (!isStale(instruments, held, toDay)) return undefined
  return { reason: 'PRICE_STALE', detail: `priced on ${dayText(held.pricedOn)}` }
}

/** The same with more that is to be known of it. */
export function withIssues(quality: Quality, more: readonly QualityIssue[]): Quality {
  if (more.length === 0) return quality
  const issues = [...quality.issues, ...more]
  return { ...quality, issues, completeness: completenessOf(issues) }
}

function completenessOf(issues: readonly QualityIssue[]): Quality['completeness'] {
  if (issues.length === 0) return 'COMPLETE'
  return issues.every(({ reason }) => reason === 'PRICE_STALE') ? 'STALE' : 'PARTIAL'
}

function isStale(
  instruments: InstrumentSource,
  held: { readonly instrumentId: string; readonly pricedOn: EpochDay },
  toDay: EpochDay,
): boolean {
  // Most were priced on the last day: no calendar is needed for that.
  if (held.pricedOn >= toDay - 1) return false
  const endOfDay = (held.pricedOn + 1) * MICROSECONDS_PER_DAY
  const instrument = instruments.get(held.instrumentId)
  const staleAfter =
    instrument === undefined
      ? endOfDay + PRICE_AGE_MAX_MICROSECONDS
      : ruleOf(instrument).pricing.staleAfter(endOfDay, tradingCalendar(instrument.mic))
  return staleAfter < toDay * MICROSECONDS_PER_DAY
}
