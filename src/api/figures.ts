import type { MessageInitShape } from '@bufbuild/protobuf'
import { dayText, type EpochDay } from '../domain/analytics/epoch-day.ts'
import type { Figure, NoFigure, ReturnFigure } from '../domain/analytics/figure.ts'
import type { PerformanceFigures, RiskFigures } from '../domain/analytics/measures.ts'
import type { SeriesPoint } from '../domain/analytics/resample.ts'
import { decimal, decimalText, sum } from '../domain/decimal.ts'
import {
  type PerformanceReport_PointSchema,
  type PerformanceSummarySchema,
  type ReturnFigureSchema,
  ReturnFigure_Status as SentStatus,
  type RiskSummarySchema,
} from '../../gen/portfolio/v1/analytics_service_pb.ts'

const PLAIN = /^-?\d+(\.\d+)?$/

/** What a double is certain of: its last digit is the rounding of sums and products. */
const SIGNIFICANT_DIGITS = 15

function rounded(value: number): number {
  return Number(value.toPrecision(SIGNIFICANT_DIGITS))
}

/** A double as a plain decimal; empty when it is no number. */
export function numberText(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return ''
  const text = String(value === 0 ? 0 : rounded(value))
  return PLAIN.test(text) ? text : decimalText(decimal(value))
}

export function figureText(figure: Figure): string {
  return numberText(figure.value)
}

/** Only the first five occur in returns; what else leaves a figure without a number has no solution either. */
const STATUSES: Readonly<Record<NoFigure | 'OK', SentStatus>> = {
  OK: SentStatus.OK,
  NO_CAPITAL: SentStatus.NO_CAPITAL,
  NO_SOLUTION: SentStatus.NO_SOLUTION,
  MULTIPLE_SOLUTIONS: SentStatus.MULTIPLE_SOLUTIONS,
  MISSING_VALUATION: SentStatus.MISSING_VALUATION,
  TOO_SHORT: SentStatus.TOO_SHORT,
  NO_VARIANCE: SentStatus.NO_SOLUTION,
  NO_DOWNSIDE: SentStatus.NO_SOLUTION,
  NO_DRAWDOWN: SentStatus.NO_SOLUTION,
  SHORT_BENCHMARK: SentStatus.NO_SOLUTION,
}

export function presentReturn(figure: ReturnFigure): MessageInitShape<typeof ReturnFigureSchema> {
  const status = STATUSES[figure.status]
  if (figure.status !== 'OK') {
    return { status, methodDetail: (figure.roots ?? []).map(numberText).join(' ') }
  }
  return {
    status,
    cumulative: numberText(figure.cumulative),
    annualized: numberText(figure.annualized),
  }
}

/** Without its returns only the values are told. */
export function presentPerformance(
  figures: PerformanceFigures,
  reportingCurrency: string,
  withReturns = true,
): MessageInitShape<typeof PerformanceSummarySchema> {
  const { startValue, endValue, inflows, outflows } = figures
  return {
    period: { startDate: dayText(figures.startDay), endDate: dayText(figures.endDay) },
    reportingCurrency,
    startValue: numberText(startValue),
    endValue: numberText(endValue),
    inflows: numberText(inflows),
    outflows: numberText(outflows),
    gain: gainText(figures),
    ...(withReturns && {
      simpleReturn: figureText(figures.simple),
      timeWeighted: presentReturn(figures.timeWeighted),
      moneyWeighted: presentReturn(figures.moneyWeighted),
      modifiedDietz: presentReturn(figures.modifiedDietz),
    }),
  }
}

/** end - start - inflows + outflows of the very texts that stand beside it. */
function gainText({ gain, startValue, endValue, inflows, outflows }: PerformanceFigures): string {
  if (!Number.isFinite(gain)) return ''
  const shown = [endValue, -startValue, -inflows, outflows].map(rounded)
  return decimalText(sum(shown.map(decimal)))
}

export function presentRisk(
  figures: RiskFigures,
  concentration: Figure,
): MessageInitShape<typeof RiskSummarySchema> {
  const [deepest] = figures.drawdowns
  return {
    volatility: figureText(figures.volatility),
    downsideDeviation: figureText(figures.downsideDeviation),
    maxDrawdown: figures.observations === 0 ? '' : numberText(deepest?.depth ?? 0),
    maxDrawdownPeakDate: dateOf(deepest?.peakDay),
    maxDrawdownTroughDate: dateOf(deepest?.troughDay),
    maxDrawdownRecoveryDate: dateOf(deepest?.recoveryDay),
    sharpeRatio: figureText(figures.sharpeRatio),
    sortinoRatio: figureText(figures.sortinoRatio),
    calmarRatio: figureText(figures.calmarRatio),
    valueAtRisk95: figureText(figures.valueAtRisk95),
    expectedShortfall95: figureText(figures.expectedShortfall95),
    concentrationHhi: figureText(concentration),
    riskFreeRate: numberText(figures.riskFreeRate),
    observations: figures.observations,
    omegaRatio: figureText(figures.omegaRatio),
    skewness: figureText(figures.skewness),
    excessKurtosis: figureText(figures.excessKurtosis),
    tailRatio: figureText(figures.tailRatio),
    deepestDrawdowns: figures.drawdowns.map(({ depth, peakDay, troughDay, recoveryDay }) => ({
      depth: numberText(depth),
      peakDate: dateOf(peakDay),
      troughDate: dateOf(troughDay),
      recoveryDate: dateOf(recoveryDay),
    })),
  }
}

export function presentPoint(
  point: SeriesPoint,
): MessageInitShape<typeof PerformanceReport_PointSchema> {
  return {
    date: dayText(point.day),
    value: numberText(point.value),
    netFlow: numberText(point.netFlow),
    periodReturn: numberText(point.periodReturn),
    cumulativeReturn: numberText(point.cumulativeReturn),
    drawdown: numberText(point.drawdown),
  }
}

function dateOf(day: EpochDay | undefined): string {
  return day === undefined ? '' : dayText(day)
}
