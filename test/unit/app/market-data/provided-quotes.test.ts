import { describe, expect, it } from '@jest/globals'
import { createActionTable } from '../../../../src/app/market-data/action-table.ts'
import { createInstrumentTable } from '../../../../src/app/market-data/instrument-table.ts'
import { ProvidedQuotes } from '../../../../src/app/market-data/provided-quotes.ts'
import { createQuoteBoard } from '../../../../src/app/market-data/quote-board.ts'
import type { SentQuote } from '../../../../src/domain/market-data/accept-quote.ts'
import type { Quote } from '../../../../src/domain/market-data/quote.ts'
import { decimal } from '../../../../src/domain/decimal.ts'
import { MICROSECONDS_PER_DAY } from '../../../../src/domain/time.ts'
import { action, split } from '../../domain/portfolio/actions.ts'

const START = Date.parse('2024-03-01T12:00:00Z') * 1_000
const CALL = { deadlineMs: 10_000 }

function quoteOf(instrumentId: string, facts: Partial<Quote> = {}): Quote {
  return {
    instrumentId,
    price: decimal(1),
    currency: '',
    pricedAt: START,
    source: 'feed',
    kind: 'REALTIME',
    splitAdjusted: false,
    ...facts,
  }
}

function sentQuote(symbol: string, pricedAt: number): SentQuote {
  const facts = { price: '2', currencyCode: '', source: '', kind: 1, splitAdjusted: false }
  return { symbol, pricedAt, ...facts }
}

/** One provider that knows every symbol but those that begin with "NO". */
function provided() {
  const requests: (readonly string[])[] = []
  const failures: unknown[] = []
  const terms: number[] = []
  const time = { now: START, holdsLease: true }
  const clock = { now: () => time.now, monotonicMs: () => 0 }
  const actions = createActionTable()
  const board = createQuoteBoard(createInstrumentTable(), { clock, table: actions })
  const quotes = new ProvidedQuotes(
    {
      clock,
      board,
      quoteStore: {
        append: () => Promise.resolve(),
        readHeld: () => Promise.resolve([]),
        readBefore: () => Promise.resolve(new Map()),
        list: () => Promise.resolve([]),
        readNewest: () => Promise.resolve({ quotes: [], recordedUntil: undefined }),
        readAsOf: () => Promise.resolve([]),
        expireHeld: () => Promise.resolve(),
        readOutliers: () => Promise.resolve([]),
        readOutliersAsOf: () => Promise.resolve([]),
      },
      telemetry: {
        startCall: () => {
          throw new Error('no call is served here')
        },
        callEnded() {},
        batchCommitted() {},
        batchFailed() {},
        quotesIngested() {},
        backgroundFailed() {},
        providerAnswered() {},
        providerFailed: (_, error) => failures.push(error),
        providerLost() {},
        providerAvailable() {},
      },
      announce() {},
      leases: {
        claim: (name, _, termMs) => {
          terms.push(termMs)
          return Promise.resolve(time.holdsLease ? { name, token: 1 } : undefined)
        },
        release: () => Promise.resolve(),
      },
      providers: [
        {
          name: 'test',
          fetch: (symbols) => {
            requests.push(symbols)
            const known = symbols.filter((symbol) => !symbol.startsWith('NO'))
            return Promise.resolve(known.map((symbol) => sentQuote(symbol, time.now)))
          },
        },
      ],
    },
    { budgetMs: 1_000, refreshMs: 60_000 },
  )
  return { quotes, board, actions, requests, failures, terms, time }
}

describe('the board', () => {
  it('knows the corporate actions that are recorded after it was made', () => {
    const { quotes, actions } = provided()
    actions.publish({ epoch: 1, actions: [action(1, 0, split(4, 1))] })
    expect(quotes.board.actions).toBe(actions.current)
    quotes.board.suspectSplits(new Set(['ACME']))
    expect(quotes.board.isSplitSuspected?.('ACME')).toBe(true)
  })
})

describe('fresh', () => {
  it('asks for nothing, and makes nobody wait, where all is fresh', () => {
    const { quotes, board, requests } = provided()
    board.publish([quoteOf('ACME'), quoteOf('EUR/USD')])
    expect(quotes.fresh(['ACME', '', 'USD/EUR'], CALL)).toBeUndefined()
    expect(requests).toEqual([])
  })

  it('asks for what is missing or stale, each once', async () => {
    const { quotes, board, requests, failures } = provided()
    const old = START - 5 * MICROSECONDS_PER_DAY
    board.publish([quoteOf('FRESH'), quoteOf('STALE', { pricedAt: old })])
    await quotes.fresh(['FRESH', 'STALE', 'NEW', 'NEW'], CALL)
    expect(requests).toEqual([['STALE', 'NEW']])
    expect(failures).toEqual([])
    expect(board.latest('STALE')).toMatchObject({ source: 'test' })
  })

  it('does not wait for what nobody knew until five seconds later', async () => {
    const { quotes, requests, time } = provided()
    await quotes.fresh(['NOBODY'], CALL)
    expect(quotes.fresh(['NOBODY'], { deadlineMs: 10_000 })).toBeUndefined()
    time.now += 5_000_001
    await quotes.fresh(['NOBODY'], { deadlineMs: 10_000 })
    expect(requests).toEqual([['NOBODY'], ['NOBODY']])
  })

  it('asks for a thousand symbols at a time', async () => {
    const { quotes, requests } = provided()
    await quotes.fresh(
      Array.from({ length: 2_500 }, (_, place) => `S${place}`),
      CALL,
    )
    expect(requests.map(({ length }) => length)).toEqual([1_000, 1_000, 500])
  })

  it('has nothing left for a call whose deadline is here', () => {
    expect(provided().quotes.fresh(['NEW'], { deadlineMs: 0 })).toBeUndefined()
  })
})

describe('pass', () => {
  it('refreshes what providers brought and what became stale, and leaves the rest to its source', async () => {
    const { quotes, board, requests, terms, time } = provided()
    const old = START - 5 * MICROSECONDS_PER_DAY
    board.publish([
      quoteOf('FED'),
      quoteOf('BROUGHT', { source: 'test' }),
      quoteOf('ABANDONED', { pricedAt: old }),
    ])
    time.now += 60_000_000
    await quotes.pass('replica')
    expect(requests).toEqual([['BROUGHT', 'ABANDONED']])
    // A pass may be late.
    expect(terms).toEqual([2 * 60_000])
  })

  it('leaves that to another replica, but not what this one looked for in vain', async () => {
    const { quotes, board, requests, time } = provided()
    board.publish([quoteOf('BROUGHT', { source: 'test' }), quoteOf('EUR/USD')])
    time.holdsLease = false
    for (const id of ['MISSED', 'USD/EUR', 'BROUGHT']) quotes.board.latest(id)
    await quotes.pass('replica')
    // The inverse of a rate that is known is no miss.
    expect(requests).toEqual([['MISSED']])
    await quotes.pass('replica')
    expect(requests).toHaveLength(1)
  })
})
