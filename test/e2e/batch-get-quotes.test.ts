import { beforeAll, expect, it } from '@jest/globals'
import { Quote_Kind } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { failureOf } from '../support/client.ts'
import { useService } from '../support/service.ts'

const fixture = useService()

const hour = (number: number) => ({ seconds: 1_700_000_000n + BigInt(number) * 3_600n })

beforeAll(async () => {
  await fixture.client.ingest({
    quotes: [
      { symbol: 'AAPL', price: '189.710000000000000001', currencyCode: 'USD', pricedAt: hour(2) },
      { symbol: 'AAPL', price: '180', currencyCode: 'USD', pricedAt: hour(0), source: 'late' },
      { symbol: 'EUR/USD', price: '1.08', kind: Quote_Kind.FX, pricedAt: hour(1), source: 'bank' },
    ],
  })
})

it('answers the newest quote of each symbol once, exactly, and what is missing', async () => {
  const symbols = [' aapl ', 'NONE', 'EUR/USD', 'AAPL', 'NONE']
  const { message } = await fixture.client.batchGet({ symbols })
  expect(message).toMatchObject({
    quotes: [
      {
        symbol: 'AAPL',
        price: '189.710000000000000001',
        currencyCode: 'USD',
        pricedAt: hour(2),
        source: '',
        kind: Quote_Kind.UNSPECIFIED,
        splitAdjusted: false,
      },
      {
        symbol: 'EUR/USD',
        price: '1.08',
        currencyCode: 'USD',
        pricedAt: hour(1),
        source: 'bank',
        kind: Quote_Kind.FX,
      },
    ],
    missingSymbols: ['NONE'],
  })
})

it('answers the quotes of a past moment', async () => {
  const symbols = ['AAPL', 'EUR/USD']
  const { message } = await fixture.client.batchGet({ symbols, effectiveAt: hour(0) })
  expect(message).toMatchObject({
    quotes: [{ symbol: 'AAPL', price: '180', source: 'late', pricedAt: hour(0) }],
    missingSymbols: ['EUR/USD'],
  })
})

it('names every symbol that is none', async () => {
  const failure = await failureOf(
    fixture.client.batchGet({
      symbols: ['AAPL', '', '__proto__', 'A\0', 'A'.repeat(4_096)],
      effectiveAt: { seconds: 2n ** 62n },
    }),
  )
  expect(failure.code).toBe('INVALID_ARGUMENT')
  expect(failure.violations).toEqual([
    'symbols[1] SYMBOL_INVALID',
    'symbols[2] SYMBOL_INVALID',
    'symbols[3] SYMBOL_INVALID',
    'symbols[4] SYMBOL_INVALID',
    'effective_at TIMESTAMP_OUT_OF_RANGE',
  ])
})

it('takes 1 to 1,000 symbols', async () => {
  const symbols = Array.from({ length: 1_001 }, (_, index) => `S${index}`)
  const { message } = await fixture.client.batchGet({ symbols: symbols.slice(1) })
  expect(message.missingSymbols).toHaveLength(1_000)
  const tooMany = await failureOf(fixture.client.batchGet({ symbols }))
  expect(tooMany.violations).toEqual(['symbols TOO_MANY_SYMBOLS'])
  expect(tooMany.info?.metadata).toMatchObject({ actual: '1001', maximum: '1000' })
  const none = await failureOf(fixture.client.batchGet({}))
  expect(none.violations).toEqual(['symbols SYMBOLS_REQUIRED'])
})

it('refuses bytes that are no message', async () => {
  const failure = await failureOf(fixture.client.batchGet(Buffer.from([0x0a, 1, 0xff])))
  expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'MALFORMED_REQUEST' })
})
