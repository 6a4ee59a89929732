import type { PerformanceReport } from '../../app/analytics/get-performance.ts'
import type { Figure } from '../../domain/analytics/figure.ts'
import { percent, type Shown, statusWords, words } from './format.ts'

/** A risk figure; where there are no daily returns because the days cannot be linked, why they cannot. */
export function toldRisk({ performance }: PerformanceReport, figure: Figure): Figure {
  const { status } = performance.timeWeighted
  return figure.status === 'TOO_SHORT' && status !== 'OK' ? { status } : figure
}

export function maxDrawdown(report: PerformanceReport): Shown {
  const { observations, drawdowns } = report.risk
  if (observations > 0) return percent(drawdowns[0]?.depth ?? 0)
  const { status } = report.performance.timeWeighted
  return words(statusWords(status === 'OK' ? 'TOO_SHORT' : status))
}
