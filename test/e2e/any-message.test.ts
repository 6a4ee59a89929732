import { create, type DescMethod, toBinary } from '@bufbuild/protobuf'
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { TransactionType as Type } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { messageOf } from '../support/arbitrary-messages.ts'
import {
  framed,
  LEAKS,
  METHODS,
  nameOf,
  pathOf,
  rawExchange,
  useRawSession,
} from '../support/raw-call.ts'
import { useService } from '../support/service.ts'

const fixture = useService()
const raw = useRawSession(fixture)

/** Whatever a client sends is its own doing. */
const ITS_OWN = [
  'OK',
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'FAILED_PRECONDITION',
  'ABORTED',
  'RESOURCE_EXHAUSTED',
  'DEADLINE_EXCEEDED',
]

const userId = 'odd'
const day = '2024-02-29'
const bought = {
  type: Type.BUY,
  symbol: 'AAPL',
  quantity: '2',
  price: '3',
  currencyCode: 'USD',
  effectiveAt: { seconds: 1_700_000_000n },
  labels: { strategy: 'odd' },
}
/** For each RPC a request that is served, once all before it are: what is near it gets further than nonsense. */
const SERVED: Readonly<Record<string, object>> = {
  UpdatePortfolio: { userId, transactions: [{ symbol: 'AAPL', quantity: 5, price: 7.5 }] },
  GetPortfolio: { userId, timestamp: 1_700_000_000n, reportingCurrency: 'USD' },
  WatchPortfolio: { userIds: [userId], minMove: '0.1' },
  RecordTransactions: { userId, transactions: [bought, { ...bought, type: Type.SELL }] },
  ReverseTransaction: { userId, transactionId: '1', reason: 'odd', replacement: bought },
  ListTransactions: { userId, pageSize: 5, symbols: ['AAPL'], period: { startDate: day } },
  ListLots: { userId, symbol: 'AAPL', temporal: { effectiveAt: { seconds: 1_700_000_000n } } },
  GetPortfolioSettings: { userId },
  UpdatePortfolioSettings: { userId, settings: { lotMethod: 2, allowShort: true } },
  UpsertInstruments: { instruments: [{ symbol: 'ODD', assetClass: 1, currencyCode: 'USD' }] },
  IngestQuotes: { quotes: [{ symbol: 'AAPL', price: '9.5', currencyCode: 'USD' }] },
  BatchGetQuotes: { symbols: ['AAPL', 'ODD'] },
  ListQuotes: { symbol: 'AAPL', period: { startDate: day, endDate: '2025-02-28' } },
  RecordCorporateAction: {
    instrumentId: 'AAPL',
    exDate: day,
    action: { case: 'split', value: { numerator: 4n, denominator: 1n } },
  },
  ListCorporateActions: { symbol: 'AAPL' },
  ReverseCorporateAction: { corporateActionId: '1' },
  ListInstruments: { symbols: ['ODD'] },
  AnalyzePortfolios: { userIds: [userId], period: { startDate: day } },
  GetPerformance: { userId, periods: [{ startDate: day }], symbols: ['AAPL'], interval: 2 },
  CompareBenchmarks: {
    userId,
    benchmarks: [{ benchmarkId: 'odd', components: [{ symbol: 'AAPL', weight: '1' }] }],
  },
}

/** A message of nothing but chance, or one that is served with some of its fields or bytes changed. */
function nearMessages({ name, input }: DescMethod): fc.Arbitrary<Uint8Array> {
  const drawn = messageOf(input)
  const damages = fc.array(fc.record({ place: fc.nat(), byte: fc.nat(255) }), {
    maxLength: 1,
  })
  const fields = fc.option(fc.nat(input.fields.length))
  return fc
    .tuple(fc.constantFrom('drawn', 'near', 'near', 'near'), drawn, fields, damages)
    .map(([kind, message, place, hits]) => {
      const changed = Object.entries(message).filter((_, index) => index === place)
      const near = { ...SERVED[name], ...Object.fromEntries(changed) }
      const bytes = toBinary(input, create(input, kind === 'near' ? near : message))
      for (const { place: at, byte } of hits) if (bytes.length > 0) bytes[at % bytes.length] = byte
      return bytes
    })
}

it.each(METHODS.map((method) => [method.name, method] as const))(
  'any message to %s is answered, or refused as what its client did',
  async (_, method) => {
    const isStream = method.methodKind === 'server_streaming'
    // A stream that is served has no other end.
    const patience = { 'grpc-timeout': isStream ? '50m' : '10S' }
    await fc.assert(
      fc.asyncProperty(nearMessages(method), async (bytes) => {
        const answer = await rawExchange(raw.session, pathOf(method), framed(bytes), patience)
        expect(ITS_OWN).toContain(nameOf(answer['grpc-status']))
        expect(decodeURIComponent(String(answer['grpc-message'] ?? ''))).not.toMatch(LEAKS)
      }),
      { numRuns: 100 },
    )
  },
)
