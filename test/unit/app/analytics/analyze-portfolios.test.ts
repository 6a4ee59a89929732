import { describe, expect, it } from '@jest/globals'
import { analyzePortfolios } from '../../../../src/app/analytics/analyze-portfolios.ts'
import { callContext } from '../../../support/store.ts'

type Ports = Parameters<typeof analyzePortfolios>[0]
type Kept = NonNullable<ReturnType<Ports['lastGood']['get']>>

const QUERY = {
  fromDay: undefined,
  toDay: undefined,
  budgetMs: 500,
  wants: { risk: true, allocation: true },
  allowStale: true,
  reportingCurrency: undefined,
}

/** Everybody has an older result, and no time passes. */
const PORTS = {
  clock: { monotonicMs: () => 0, now: () => 0 },
  pool: { start: () => undefined, openBatch: () => ({ cancel: () => undefined }) },
  lastGood: { get: () => ({ analysis: {} }) as Kept, set: () => undefined },
} as unknown as Ports

async function staleOf(userCount: number, deadlineMs: number): Promise<number> {
  const userIds = Array.from({ length: userCount }, (_, at) => `user${at}`)
  const call = callContext({ deadlineMs })
  const outcomes = await analyzePortfolios(PORTS, { ...QUERY, userIds }, call)
  return outcomes.filter(({ kind }) => kind === 'STALE').length
}

describe('analyzePortfolios', () => {
  it('gives as many older results as can be sent before the deadline', async () => {
    expect(await staleOf(5, 5)).toBe(5)
    expect(await staleOf(1_000, 42)).toBe(350)
    expect(await staleOf(1_000, 6)).toBe(50)
  })
})
