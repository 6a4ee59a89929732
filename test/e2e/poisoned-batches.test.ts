import { describe, expect, it } from '@jest/globals'
import { PortfolioAnalysis_Outcome as Outcome } from '../../gen/portfolio/v1/analytics_service_pb.ts'
import { analyze, analyzeAll, atClose, ingestCloses } from '../support/analytics.ts'
import { useService } from '../support/service.ts'
import { newUser } from '../support/transactions.ts'

const fixture = useService()
/** `npm run test:long` has 100 of them, with nothing beside them. */
const { POISONED_BATCHES } = process.env
const BATCHES = Number(POISONED_BATCHES ?? 8)
const MATES = 20
/**
 * The budget, and what a machine needs beside it. Where other tests share its processors, lateness is theirs: there a
 * batch is late when it waits for the thread that does not come back.
 */
const LATE_MS = POISONED_BATCHES === undefined ? 5_000 : 550
/** Exits, loops for ever, throws. */
const POISONS = [666_001, 666_003, 666_004]

async function holder(quantity: number): Promise<string> {
  const userId = newUser()
  await fixture.client.update({
    userId,
    transactions: [{ symbol: 'POISON', quantity, price: 100, timestamp: atClose('2024-01-02') }],
  })
  return userId
}

describe('a batch with a poisoned portfolio', () => {
  it(
    'is answered in time, and fails that one alone',
    async () => {
      await ingestCloses(fixture.client, 'POISON', { '2024-01-02': 100, '2024-01-03': 110 })
      const mates: string[] = []
      for (let mate = 0; mate < MATES; mate += 1) mates.push(await holder(1 + mate))
      const poisoned: string[] = []
      for (const poison of POISONS) poisoned.push(await holder(poison))
      const { client } = await fixture.start({ ANALYSIS_THREADS: '4' }, undefined, {
        analysisWorker: new URL('../support/fixtures/poisoned.worker.ts', import.meta.url),
      })
      // Threads that read TypeScript take their time to start.
      await analyzeAll(client, { userIds: mates, period: { endDate: '2024-01-02' } })
      const times: number[] = []
      let answered = 0
      for (let batch = 0; batch < BATCHES; batch += 1) {
        const bad = poisoned[batch % poisoned.length] ?? ''
        // Another period each time, so that nothing is known from the time before.
        const startDate = new Date(Date.UTC(2023, 0, 1 + batch)).toISOString().slice(0, 10)
        const userIds = mates.toSpliced(batch % MATES, 0, bad)
        const startedMs = performance.now()
        const answer = await analyze(client, {
          userIds,
          period: { startDate, endDate: '2024-01-03' },
        })
        times.push(performance.now() - startedMs)
        const failed = answer.analyses.filter(({ outcome }) => outcome === Outcome.FAILED)
        expect(failed.map(({ userId }) => userId).filter((userId) => userId !== bad)).toEqual([])
        expect(answer.incompleteUserIds).toHaveLength(answer.totals?.timedOut ?? -1)
        answered += answer.totals?.ok ?? 0
      }
      expect(Math.max(...times)).toBeLessThan(LATE_MS)
      // A thread that reads TypeScript takes as long to start as a batch may last.
      expect(answered).toBeGreaterThan(BATCHES * MATES * 0.5)
    },
    10_000 + BATCHES * 1_000,
  )
})
