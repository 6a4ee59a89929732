import { describe, expect, it } from '@jest/globals'
import { createActionTable } from '../../../../src/app/market-data/action-table.ts'
import { createInstrumentTable } from '../../../../src/app/market-data/instrument-table.ts'
import { createQuoteBoard } from '../../../../src/app/market-data/quote-board.ts'
import {
  answerPortfolio,
  type GetPortfolioQuery,
} from '../../../../src/app/portfolio/get-portfolio.ts'
import type { PortfolioView } from '../../../../src/app/portfolio/portfolio-view.ts'
import { type Answered, RecentAnswers } from '../../../../src/app/portfolio/recent-answers.ts'
import type { Quote } from '../../../../src/domain/market-data/quote.ts'
import { summaryOf } from '../../../../src/domain/portfolio/summary.ts'
import { type Instant, MICROSECONDS_PER_DAY } from '../../../../src/domain/time.ts'
import { describedAs } from '../../domain/market-data/instruments.ts'
import { action, split } from '../../domain/portfolio/actions.ts'
import { buy, NOW, quote, Scenario } from '../../domain/portfolio/scenario.ts'

type Ports = Parameters<typeof answerPortfolio>[0]
type Call = Parameters<typeof answerPortfolio>[2]

const OTHER = { instrumentId: 'OTHER' }
const NAV: Partial<Quote> = { kind: 'NAV' }
const nothing = (): never => {
  throw new Error('nobody asks for this')
}

class Reader {
  readonly instruments = createInstrumentTable()
  readonly actions = createActionTable()
  readonly board = createQuoteBoard(this.instruments, {
    clock: { now: () => this.now, monotonicMs: nothing },
    table: this.actions,
  })
  readonly recent = new RecentAnswers<PortfolioView>()
  readonly scenario = new Scenario()
  now: Instant = NOW + 60_000_000
  cached = true

  constructor(...quotes: readonly Quote[]) {
    this.scenario.record(buy('2', '10', 1), buy('1', '5', 1, OTHER))
    this.board.publish(quotes)
  }

  /** Where an answer is written as the view itself. */
  async read(query: Partial<GetPortfolioQuery> = {}): Promise<PortfolioView> {
    const { answer } = await this.answer(query)
    if (answer === undefined) throw new Error('not modified')
    return answer
  }

  answer(query: Partial<GetPortfolioQuery>): Promise<Answered<PortfolioView>> {
    const whole = {
      userId: 'user-1',
      at: undefined,
      recordedUntil: undefined,
      reportingCurrency: undefined,
      ifNoneMatch: undefined,
      versionMin: undefined,
      ...query,
    }
    const { state } = this.scenario
    const ports = {
      clock: { now: () => this.now, monotonicMs: nothing },
      portfolios: { read: async () => ({ state, source: this.cached ? 'memory' : 'database' }) },
      quotes: this.board,
      quoteStore: {},
    } as unknown as Ports
    const { recent } = this
    return answerPortfolio(ports, whole, {} as Call, { recent, write: (view) => view })
  }
}

type Recent = RecentAnswers<PortfolioView>

const valueOf = (view: PortfolioView): number => summaryOf(view.valuation).totalValue

describe('an answer', () => {
  it('serves again while version and quotes stand', async () => {
    const reader = new Reader(quote('ACME', '11'), quote('OTHER', '7'))
    const first = await reader.read()
    reader.now += 1_000_000
    reader.board.publish([quote('ELSE', '1')])
    expect(await reader.read()).toBe(first)
  })

  it('that was read from the database is from a cache the next time', async () => {
    const reader = new Reader(quote('ACME', '11'))
    reader.cached = false
    expect(await reader.read()).toMatchObject({ cached: false })
    reader.cached = true
    const again = await reader.read()
    expect(again).toMatchObject({ cached: true })
    expect(await reader.read()).toBe(again)
  })

  it('does not serve again after a change', async () => {
    const reader = new Reader(quote('ACME', '11'), quote('OTHER', '7'))
    expect(valueOf(await reader.read())).toBe(29)
    reader.scenario.record(buy('1', '11', 2))
    expect(await reader.read()).toMatchObject({ version: 2 })
    expect(valueOf(await reader.read())).toBe(40)
  })

  it.each([
    ['another price', quote('ACME', '12'), 29],
    ['the same price of a later moment', quote('ACME', '11', { pricedAt: NOW + 1 }), 27],
    ['the first price', quote('OTHER', '8'), 30],
  ])('does not serve again after %s', async (_, next, value) => {
    const reader = new Reader(quote('ACME', '11'))
    const first = await reader.read()
    reader.board.publish([next])
    const second = await reader.read()
    expect(second).not.toBe(first)
    expect(valueOf(second)).toBe(value)
    expect(second.etag).not.toBe(first.etag)
  })

  it('does not serve again after another rate', async () => {
    const reader = new Reader(quote('ACME', '11'), quote('OTHER', '7'), quote('EUR/USD', '2'))
    expect(valueOf(await reader.read({ reportingCurrency: 'EUR' }))).toBe(14.5)
    reader.board.publish([quote('EUR/USD', '1')])
    expect(valueOf(await reader.read({ reportingCurrency: 'EUR' }))).toBe(29)
  })

  it('does not serve again after other reference data', async () => {
    const reader = new Reader(quote('ACME', '11'), quote('OTHER', '7'))
    const first = await reader.read()
    reader.instruments.publish({ epoch: 1, instruments: [describedAs('ACME', 'EQUITY', {})] })
    expect(await reader.read()).not.toBe(first)
  })

  it('does not serve again after a corporate action, nor once one comes into force', async () => {
    const reader = new Reader(quote('ACME', '11'), quote('OTHER', '7'))
    const first = await reader.read()
    const dueLater = action(1, 0, split(4, 1), { effectiveAt: reader.now + 1_000 })
    reader.actions.publish({ epoch: 1, actions: [dueLater] })
    const second = await reader.read()
    expect(second).not.toBe(first)
    expect(await reader.read()).toBe(second)
    reader.now += 1_000
    expect(await reader.read()).not.toBe(second)
  })

  it('does not serve again when a split is suspected, or no longer', async () => {
    const reader = new Reader(quote('ACME', '11'), quote('OTHER', '7'))
    const first = await reader.read()
    reader.board.suspectSplits(new Set(['ACME']))
    const second = await reader.read()
    expect(second).not.toBe(first)
    reader.board.suspectSplits(new Set())
    expect(await reader.read()).not.toBe(second)
  })

  it('does not serve for another currency', async () => {
    const reader = new Reader(quote('ACME', '11'), quote('OTHER', '7'), quote('EUR/USD', '2'))
    expect(valueOf(await reader.read())).toBe(29)
    expect(valueOf(await reader.read({ reportingCurrency: 'EUR' }))).toBe(14.5)
    expect(valueOf(await reader.read({ reportingCurrency: 'USD' }))).toBe(29)
  })

  it('serves until it expires', async () => {
    const reader = new Reader(quote('ACME', '11'))
    const first = await reader.read()
    reader.now = first.expiresAt - 1
    expect(await reader.read()).toBe(first)
    reader.now = first.expiresAt
    expect(await reader.read()).toMatchObject({ computedAt: first.expiresAt })
  })

  it('serves until a price of it turns stale', async () => {
    const reader = new Reader(
      quote('ACME', '11', { ...NAV, pricedAt: NOW - 3.5 * MICROSECONDS_PER_DAY }),
      quote('OTHER', '7', NAV),
    )
    reader.now = NOW + 0.5 * MICROSECONDS_PER_DAY - 1_000
    const first = await reader.read()
    expect(first.valuation.quality.completeness).toBe('COMPLETE')
    reader.now += 2_000
    expect(reader.now).toBeLessThan(first.expiresAt)
    expect((await reader.read()).valuation.quality.completeness).toBe('STALE')
  })

  it('is not written for whoever has its etag, and for whoever has not', async () => {
    const reader = new Reader(quote('ACME', '11'))
    const { etag, valuation } = await reader.read()
    const known = { facts: { etag, version: 1, notModified: true }, answer: undefined }
    expect(await reader.answer({ ifNoneMatch: etag })).toMatchObject(known)
    expect(await reader.answer({ ifNoneMatch: '1-0' })).toMatchObject({
      facts: {
        etag,
        notModified: false,
        completeness: 'STALE',
        pricedAt: valuation.quality.pricedAt,
      },
      answer: { etag },
    })
  })

  it('that was not written for the first who has its etag is for the next who has not', async () => {
    const reader = new Reader(quote('ACME', '11'))
    const { etag } = await reader.read()
    reader.instruments.publish({ epoch: 1, instruments: [] })
    expect(await reader.answer({ ifNoneMatch: etag })).toMatchObject({ answer: undefined })
    const first = await reader.read()
    expect(first.etag).toBe(etag)
    expect(await reader.read()).toBe(first)
    expect(await reader.answer({ ifNoneMatch: etag })).toMatchObject({ answer: undefined })
  })

  it('of a past moment is none of them', async () => {
    const reader = new Reader(quote('ACME', '11'))
    await reader.read()
    await expect(reader.read({ at: NOW })).rejects.toThrow('recall')
  })
})

describe('the answers kept', () => {
  it('are so many that all their positions are not too many', async () => {
    const reader = new Reader(quote('ACME', '11'))
    const view = await reader.read()
    const { recent } = reader
    const position = view.valuation.positions[0]!
    const positions = Array.from({ length: 9_999 }, () => position)
    const large = { ...view, valuation: { ...view.valuation, positions } }
    const quotes = { standAt: () => true } as unknown as Parameters<Recent['keep']>[1]
    const users = ['a', 'b', 'c', 'd', 'e', 'f']
    for (const userId of users) recent.keep('1-0', quotes, { ...large, userId }, view)
    recent.keep('1-0', quotes, { ...large, userId: 'f' }, view)
    const wanted = { stateEtag: '1-0', reportingCurrency: 'USD', now: view.computedAt }
    const found = users.filter((userId) => recent.find(userId, wanted) !== undefined)
    expect(found).toEqual(['b', 'c', 'd', 'e', 'f'])
    expect(recent.find('user-1', wanted)).toBeUndefined()
  })
})
