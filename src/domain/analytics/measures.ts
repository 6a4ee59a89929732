import { perObservation } from './annualize.ts'
import { type Drawdown, drawdowns } from './drawdown.ts'
import type { EpochDay } from './epoch-day.ts'
import type { Figure, ReturnFigure } from './figure.ts'
import { excessKurtosis, skewness } from './moments.ts'
import { moneyWeightedReturn } from './money-weighted.ts'
import { expectedShortfall95, tailRatio, valueAtRisk95 } from './quantile.ts'
import {
  calmarRatio,
  downsideDeviation,
  excessReturns,
  omegaRatio,
  sharpeRatio,
  sortinoRatio,
  volatility,
} from './risk-ratios.ts'
import { meanRate, observationRates, type RiskFreeRates } from './risk-free-rates.ts'
import { modifiedDietz, type PeriodTotals, periodTotals, simpleReturn } from './simple-returns.ts'
import {
  dailyReturns,
  type LinkedReturns,
  linkReturns,
  timeWeightedReturn,
} from './time-weighted.ts'
import { dayCount, type PeriodValuations } from './valuation-series.ts'

export interface PerformanceFigures extends PeriodTotals {
  readonly startDay: EpochDay
  readonly endDay: EpochDay
  readonly simple: Figure
  readonly timeWeighted: ReturnFigure
  readonly moneyWeighted: ReturnFigure
  readonly modifiedDietz: ReturnFigure
}

export interface RiskFigures {
  readonly observations: number
  /** Per year: the mean of those that the observations were held against. */
  readonly riskFreeRate: number
  readonly volatility: Figure
  readonly downsideDeviation: Figure
  readonly sharpeRatio: Figure
  readonly sortinoRatio: Figure
  readonly calmarRatio: Figure
  readonly valueAtRisk95: Figure
  readonly expectedShortfall95: Figure
  readonly omegaRatio: Figure
  readonly skewness: Figure
  readonly excessKurtosis: Figure
  readonly tailRatio: Figure
  /** Deepest first. */
  readonly drawdowns: readonly Drawdown[]
}

/** Rates per year that risk is measured against. */
export interface RiskTerms {
  readonly riskFree: RiskFreeRates
  readonly minimumAcceptableReturn: number
}

const DRAWDOWNS_MAX = 5

/** What a period brought, by every method. */
export function performanceOf(
  period: PeriodValuations,
  linked: LinkedReturns = linkReturns(period),
): PerformanceFigures {
  const totals = periodTotals(period)
  return {
    ...totals,
    startDay: period.startDay,
    endDay: period.endDay,
    simple: simpleReturn(totals),
    timeWeighted: timeWeightedReturn(period, linked),
    moneyWeighted: moneyWeightedReturn(period),
    modifiedDietz: modifiedDietz(period, totals),
  }
}

/** What a period's daily returns risked. */
export function riskOf(
  period: PeriodValuations,
  terms: RiskTerms,
  drawdownsMax: number = DRAWDOWNS_MAX,
  linked: LinkedReturns = linkReturns(period),
): RiskFigures {
  const daily = dailyReturns(period, linked)
  const { returns } = daily
  const ascending = returns.toSorted()
  const minimum = perObservation(terms.minimumAcceptableReturn)
  const deepest = drawdowns(daily, drawdownsMax)
  const whole = timeWeightedReturn(period, linked)
  return {
    observations: returns.length,
    riskFreeRate: meanRate(terms.riskFree, daily.days, period.endDay),
    volatility: volatility(returns),
    downsideDeviation: downsideDeviation(returns, minimum),
    sharpeRatio: sharpeRatio(excessReturns(returns, observationRates(terms.riskFree, daily.days))),
    sortinoRatio: sortinoRatio(returns, minimum),
    calmarRatio:
      whole.status === 'OK'
        ? calmarRatio(whole.cumulative, dayCount(period), deepest[0]?.depth ?? 0)
        : { status: whole.status },
    valueAtRisk95: valueAtRisk95(ascending),
    expectedShortfall95: expectedShortfall95(ascending),
    omegaRatio: omegaRatio(returns, minimum),
    skewness: skewness(returns),
    excessKurtosis: excessKurtosis(returns),
    tailRatio: tailRatio(ascending),
    drawdowns: deepest,
  }
}
