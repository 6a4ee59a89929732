import type { MessageInitShape } from '@bufbuild/protobuf'
import type { AnalysisOutcome, PortfolioAnalysis } from '../app/analytics/analyze-portfolios.ts'
import type { Instant } from '../domain/time.ts'
import {
  PortfolioAnalysis_Outcome as SentOutcome,
  PortfolioAnalysisSchema,
} from '../../gen/portfolio/v1/analytics_service_pb.ts'
import { numberText, presentPerformance, presentRisk } from './figures.ts'
import { messageBytes, withWritten } from './message-bytes.ts'
import { durationOf, presentQuality } from './portfolio-detail.ts'

interface Written {
  readonly withReturns: boolean
  readonly bytes: Buffer
}

/**
 * Writes the analyses of AnalyzePortfolios, the most of each as soon as it is done: a thousand take tens of
 * milliseconds, which nobody has to wait for at the end. One that serves again is not written again.
 */
export class AnalysisBytes {
  readonly #written = new WeakMap<PortfolioAnalysis, Written>()

  /** All that stands whenever it is answered. */
  of(analysis: PortfolioAnalysis, withReturns: boolean): Buffer {
    const known = this.#written.get(analysis)
    if (known?.withReturns === withReturns) return known.bytes
    const bytes = messageBytes(PortfolioAnalysisSchema, presentFigures(analysis, withReturns))
    this.#written.set(analysis, { withReturns, bytes })
    return bytes
  }

  /** A message for {@link messageBytes} alone. */
  present(
    userId: string,
    outcome: AnalysisOutcome,
    facts: { readonly wantsReturns: boolean; readonly now: Instant },
  ): MessageInitShape<typeof PortfolioAnalysisSchema> {
    const sent = { userId, outcome: SentOutcome[outcome.kind] }
    if (outcome.kind === 'FAILED') return { ...sent, errorReason: outcome.reason }
    if (outcome.kind !== 'OK' && outcome.kind !== 'STALE') return sent
    const { analysis } = outcome
    const quality = presentQuality(analysis, facts.now)
    const bytes = this.of(analysis, facts.wantsReturns)
    return withWritten(PortfolioAnalysisSchema, [bytes], Object.assign(sent, { quality }))
  }
}

function presentFigures(
  analysis: PortfolioAnalysis,
  withReturns: boolean,
): MessageInitShape<typeof PortfolioAnalysisSchema> {
  const { reportingCurrency, performance, risk } = analysis
  return {
    performance: presentPerformance(performance, reportingCurrency, withReturns),
    // Of the drawdowns the deepest alone was measured, and it stands in fields of its own.
    ...(risk && {
      risk: { ...presentRisk(risk, analysis.concentration), deepestDrawdowns: [] },
    }),
    allocation: analysis.allocation.map(({ dimension, key, value, weight }) => ({
      dimension,
      key,
      value: numberText(value),
      weight: numberText(weight),
    })),
    computeTime: millisecondsOf(analysis.timeMs),
  }
}

export function millisecondsOf(milliseconds: number): { seconds: bigint; nanos: number } {
  return durationOf(Math.round(milliseconds * 1_000))
}
