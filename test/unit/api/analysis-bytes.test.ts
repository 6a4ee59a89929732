import { create, fromBinary, type MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, it } from '@jest/globals'
import { AnalysisBytes } from '../../../src/api/analysis-bytes.ts'
import { messageBytes } from '../../../src/api/message-bytes.ts'
import type { PortfolioAnalysis } from '../../../src/app/analytics/analyze-portfolios.ts'
import {
  AnalyzePortfoliosResponseSchema,
  PortfolioAnalysis_Outcome as Outcome,
  PortfolioAnalysisSchema,
} from '../../../gen/portfolio/v1/analytics_service_pb.ts'

const NOW = 1_700_000_000_000_000
const OK = { status: 'OK', cumulative: 0.5, annualized: 0.25 } as const

const analysis = {
  reportingCurrency: 'USD',
  performance: {
    startDay: 19_000,
    endDay: 19_001,
    startValue: 100,
    endValue: 150,
    inflows: 0,
    outflows: 0,
    gain: 50,
    simple: { status: 'OK', value: 0.5 },
    timeWeighted: OK,
    moneyWeighted: OK,
    modifiedDietz: OK,
  },
  risk: undefined,
  concentration: { status: 'OK', value: 1 },
  allocation: [{ dimension: 'asset_class', key: 'EQUITY', value: 150, weight: 1 }],
  quality: { completeness: 'STALE', pricedAt: NOW - 7_000_000, issues: [] },
  timeMs: 1.5,
} as unknown as PortfolioAnalysis

/** As it comes out of an answer. */
function received(message: MessageInitShape<typeof PortfolioAnalysisSchema>) {
  const bytes = messageBytes(AnalyzePortfoliosResponseSchema, { analyses: [message] })
  return fromBinary(AnalyzePortfoliosResponseSchema, bytes).analyses[0]!
}

function sent(
  bytes: AnalysisBytes,
  kind: 'OK' | 'STALE',
  facts: { readonly wantsReturns: boolean; readonly now: number },
) {
  return received(bytes.present('eve', { kind, analysis }, facts))
}

describe('AnalysisBytes', () => {
  it('say of an analysis that was written before how old its prices are now', () => {
    const bytes = new AnalysisBytes()
    const first = sent(bytes, 'OK', { wantsReturns: true, now: NOW })
    const later = sent(bytes, 'STALE', { wantsReturns: true, now: NOW + 3_000_000 })
    expect(first).toMatchObject({
      userId: 'eve',
      outcome: Outcome.OK,
      performance: { endValue: '150', timeWeighted: { cumulative: '0.5' } },
      allocation: [{ key: 'EQUITY', weight: '1' }],
      computeTime: { nanos: 1_500_000 },
      quality: { maxPriceAge: { seconds: 7n } },
    })
    expect(later).toMatchObject({
      outcome: Outcome.STALE,
      performance: first.performance,
      quality: { maxPriceAge: { seconds: 10n } },
    })
    expect(bytes.of(analysis, true)).toBe(bytes.of(analysis, true))
  })

  it('tell returns only to whoever wants them', () => {
    const bytes = new AnalysisBytes()
    for (const wantsReturns of [false, true, false]) {
      const { performance } = sent(bytes, 'OK', { wantsReturns, now: NOW })
      expect(performance?.endValue).toBe('150')
      expect(performance?.timeWeighted !== undefined).toBe(wantsReturns)
    }
  })

  it('say of a portfolio that could not be analysed why', () => {
    const facts = { wantsReturns: true, now: NOW }
    const failed = { kind: 'FAILED', reason: 'ANALYSIS_HUNG' } as const
    expect(received(new AnalysisBytes().present('eve', failed, facts))).toEqual(
      create(PortfolioAnalysisSchema, {
        userId: 'eve',
        outcome: Outcome.FAILED,
        errorReason: 'ANALYSIS_HUNG',
      }),
    )
  })
})
