import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { AnalyzeJob } from '../../../../src/domain/analytics/analyze-job.ts'
import { constantRate } from '../../../../src/domain/analytics/risk-free-rates.ts'
import { packLedger } from '../../../../src/domain/analytics/pack-ledger.ts'
import { openAnalysisPool } from '../../../../src/infra/workers/analysis-pool.ts'

const DAYS = 20
const failures: unknown[] = []
const pool = openAnalysisPool({
  threads: 2,
  entry: new URL('../../../support/fixtures/poisoned.worker.ts', import.meta.url),
  onFailure: (error) => failures.push(error),
})
afterAll(() => pool.close())

/** Holds units of one instrument that gains one a day, from 100 on. */
function job(units: number): AnalyzeJob {
  const closes = new Float64Array(new SharedArrayBuffer(DAYS * 8)).map((_, day) => 100 + day)
  const entry = { day: 1_000, type: 'BUY', instrumentId: 'A', quantity: units, price: 100 } as const
  const { numbers } = packLedger([{ ...entry, at: 0, isTracked: false, terms: undefined }])
  return {
    kind: 'analyze',
    ledger: {
      numbers,
      matrix: { firstDay: 1_000, dayCount: DAYS, closes },
      priceRows: Int32Array.of(0),
      priceRates: Int32Array.of(-1),
      baseRate: -1,
      cashRates: Int32Array.of(-1),
      groups: Int32Array.of(0),
      cashGroup: -1,
      groupCount: 1,
    },
    period: { fromDay: undefined, toDay: 1_000 + DAYS - 1 },
    wantsRisk: true,
    riskTerms: { riskFree: constantRate(0), minimumAcceptableReturn: 0 },
  }
}

async function outcomesOf(...units: readonly number[]) {
  // Filling a thread's memory takes a while.
  const jobMsMax = units.includes(666_002) ? 10_000 : 300
  const outcomes = await pool.openBatch().run(units.map(job), jobMsMax)
  return outcomes.map((outcome) =>
    outcome.kind === 'done' ? outcome.result.performance.endValue : JSON.stringify(outcome),
  )
}

describe('the analysis pool', () => {
  it('does jobs on threads', async () => {
    expect(await outcomesOf(1, 2)).toEqual([119, 238])
  })

  it.each([
    ['exits', 666_001, 'ANALYSIS_CRASHED'],
    ['runs out of memory', 666_002, 'ANALYSIS_OUT_OF_MEMORY'],
    ['loops for ever', 666_003, 'ANALYSIS_HUNG'],
    ['throws what is no error', 666_004, 'ANALYSIS_FAILED'],
  ])('fails the one job that %s, answers its mates, and heals', async (_, poison, reason) => {
    const failed = JSON.stringify({ kind: 'failed', reason })
    expect(await outcomesOf(1, poison, 2, 3)).toEqual([119, failed, 238, 357])
    expect(await outcomesOf(poison)).toEqual([failed])
    expect(await Promise.all([outcomesOf(1), outcomesOf(2), outcomesOf(3)])).toEqual([
      [119],
      [238],
      [357],
    ])
  })

  it('stops what is cancelled, and frees a thread that does not listen', async () => {
    const batch = pool.openBatch()
    const running = batch.run([job(1), job(666_003), job(2)], 60_000)
    batch.cancel()
    expect((await running).map(({ kind }) => kind)).toContain('stopped')
    expect(await outcomesOf(1)).toEqual([119])
  })
})

/** Of each thread of this process, as Linux tells it: the 19th field, the 17th after the name. */
function niceValues(): readonly number[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const [, fields = ''] = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ')
    return Number(fields.split(' ')[16])
  })
}

it('leaves the processors to whoever answers calls', async () => {
  const own = openAnalysisPool({ threads: 1, onFailure: (error) => failures.push(error) })
  try {
    const before = niceValues().filter((nice) => nice > 0)
    const [outcome] = await own.openBatch().run([job(1)], 10_000)
    expect(outcome?.kind).toBe('done')
    expect(niceValues().filter((nice) => nice > 0)).toEqual([...before, 5])
  } finally {
    await own.close()
  }
})
