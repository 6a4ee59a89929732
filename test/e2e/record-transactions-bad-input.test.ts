import { expect, it } from '@jest/globals'
import { TransactionType as Type } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { failureOf } from '../support/client.ts'
import { bought, portfolioLog, type SentTransaction, sold } from '../support/portfolio-log.ts'
import { useService } from '../support/service.ts'
import { NO_ROWS, rowCounts } from '../support/store.ts'

const fixture = useService()

let users = 0
const newUser = (): string => `sender-${(users += 1)}`
const log = () => portfolioLog(fixture.client)
const record = (userId: string, ...transactions: readonly SentTransaction[]) =>
  log().record({ userId, transactions: [...transactions] })

const OUT = 'TIMESTAMP_OUT_OF_RANGE'
const dividend = (facts: SentTransaction = {}): SentTransaction => ({
  type: Type.DIVIDEND,
  symbol: 'ACME',
  grossAmount: '1',
  ...facts,
})
const transferIn = (transfer: SentTransaction['transfer'], facts: SentTransaction = {}) =>
  ({ ...bought({ type: Type.TRANSFER_IN, price: '', ...facts }), transfer }) as SentTransaction
const dayIn = (days: number): string =>
  new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
const cases: readonly (readonly [string, SentTransaction, readonly string[]])[] = [
  ['no type', bought({ type: Type.UNSPECIFIED }), ['type TYPE_UNKNOWN']],
  ['a type of nobody', bought({ type: 99 as Type }), ['type TYPE_UNKNOWN']],
  ['a split', bought({ type: Type.SPLIT }), ['type TYPE_UNKNOWN']],
  ['a merger', bought({ type: Type.MERGER }), ['type TYPE_UNKNOWN']],
  ['no symbol', bought({ symbol: '' }), ['symbol SYMBOL_INVALID']],
  ['a rate of no currency', bought({ fxRate: '2' }), ['fx_rate FIELD_NOT_ALLOWED']],
  [
    'the ratio of a split',
    bought({ splitRatio: { numerator: 4n, denominator: 1n } }),
    ['split_ratio FIELD_NOT_ALLOWED'],
  ],
  [
    'lots carried out',
    transferIn(
      { carriedLots: [{ acquiredDate: '2024-01-02', quantity: '1', costBasis: '1' }] },
      { type: Type.TRANSFER_OUT, quantity: '1' },
    ),
    ['transfer.carried_lots FIELD_NOT_ALLOWED'],
  ],
  ['a symbol of a bad form', bought({ symbol: 'a b' }), ['symbol SYMBOL_INVALID']],
  [
    'an instrument of a bad form',
    bought({ symbol: '', instrumentId: '?' }),
    ['instrument_id SYMBOL_INVALID'],
  ],
  ['no quantity', bought({ quantity: '' }), ['quantity QUANTITY_INVALID']],
  ['a quantity of 0', bought({ quantity: '0' }), ['quantity QUANTITY_INVALID']],
  ['a negative quantity', bought({ quantity: '-1' }), ['quantity QUANTITY_INVALID']],
  ['a quantity with an exponent', bought({ quantity: '1e3' }), ['quantity QUANTITY_INVALID']],
  ['a quantity that is no number', bought({ quantity: 'NaN' }), ['quantity QUANTITY_INVALID']],
  ['a quantity with a comma', bought({ quantity: '1,5' }), ['quantity QUANTITY_INVALID']],
  [
    'a quantity beyond 1e15',
    bought({ quantity: '1000000000000000.1', price: '0' }),
    ['quantity QUANTITY_INVALID'],
  ],
  [
    'a quantity of 19 decimals',
    bought({ quantity: '0.0000000000000000001' }),
    ['quantity PRECISION_EXCEEDED'],
  ],
  ['no price', bought({ price: '' }), ['price PRICE_INVALID']],
  ['a negative price', bought({ price: '-0.1' }), ['price PRICE_INVALID']],
  ['a price in words', bought({ price: 'ten' }), ['price PRICE_INVALID']],
  [
    'quantity x price beyond 1e15',
    bought({ quantity: '100000000', price: '100000000' }),
    ['price AMOUNT_INVALID'],
  ],
  ['an amount of a trade', bought({ grossAmount: '1' }), ['gross_amount FIELD_NOT_ALLOWED']],
  ['no amount of a dividend', dividend({ grossAmount: '' }), ['gross_amount AMOUNT_INVALID']],
  ['a dividend of 0', dividend({ grossAmount: '0' }), ['gross_amount AMOUNT_INVALID']],
  ['a dividend of units', dividend({ quantity: '1' }), ['quantity FIELD_NOT_ALLOWED']],
  ['a dividend with a price', dividend({ price: '1' }), ['price FIELD_NOT_ALLOWED']],
  [
    'a deposit of a symbol',
    { type: Type.DEPOSIT, symbol: 'ACME', grossAmount: '1' },
    ['symbol FIELD_NOT_ALLOWED'],
  ],
  ['a price of a transfer out', bought({ type: Type.TRANSFER_OUT }), ['price FIELD_NOT_ALLOWED']],
  ['a negative fee', bought({ fee: '-1' }), ['fee AMOUNT_INVALID']],
  ['a tax in words', bought({ tax: 'some' }), ['tax AMOUNT_INVALID']],
  [
    'a currency in small letters',
    bought({ currencyCode: 'eur' }),
    ['currency_code CURRENCY_INVALID'],
  ],
  ['a negative rate', bought({ currencyCode: 'EUR', fxRate: '-1' }), ['fx_rate FX_RATE_REQUIRED']],
  [
    'more than a day ahead',
    bought({ effectiveAt: { seconds: BigInt(Math.ceil(Date.now() / 1_000) + 90_000) } }),
    [`effective_at ${OUT}`],
  ],
  [
    'nanoseconds below nothing',
    bought({ effectiveAt: { seconds: 1n, nanos: -1 } }),
    [`effective_at ${OUT}`],
  ],
  ['the year 1699', bought({ effectiveAt: { seconds: -8_520_336_001n } }), [`effective_at ${OUT}`]],
  [
    'a settlement on no day',
    bought({ settlementDate: '2023-02-29' }),
    ['settlement_date DATE_INVALID'],
  ],
  ['an account with a line break', bought({ accountId: 'a\nb' }), ['account_id ACCOUNT_INVALID']],
  ['an account too long', bought({ accountId: 'x'.repeat(129) }), ['account_id ACCOUNT_INVALID']],
  ['an id too long', bought({ externalId: 'x'.repeat(129) }), ['external_id EXTERNAL_ID_INVALID']],
  ['a source too long', bought({ source: 'x'.repeat(65) }), ['source EXTERNAL_ID_INVALID']],
  ['a label too long', bought({ labels: { key: 'x'.repeat(129) } }), ['labels LABELS_INVALID']],
  [
    '33 labels',
    bought({ labels: Object.fromEntries(Array.from({ length: 33 }, (_, index) => [index, ''])) }),
    ['labels LABELS_INVALID'],
  ],
  ['a label of a bad name', bought({ labels: { 'a\n': '' } }), ['labels LABELS_INVALID']],
  [
    '1,001 lots',
    sold({
      quantity: '1001',
      lots: Array.from({ length: 1_001 }, (_, index) => ({ lotId: `${index}.0`, quantity: '1' })),
    }),
    ['lots LOTS_INVALID'],
  ],
  [
    'a lot of a bad form',
    sold({ lots: [{ lotId: 'x', quantity: '5' }] }),
    ['lots[0].lot_id LOTS_INVALID'],
  ],
  [
    'lots that are less than the quantity',
    sold({
      lots: [
        { lotId: '1.0', quantity: '1' },
        { lotId: '2.0', quantity: '3' },
      ],
    }),
    ['lots LOTS_INVALID'],
  ],
  [
    'a lot of nothing',
    sold({ lots: [{ lotId: '1.0', quantity: '5' }, { lotId: '2.0' }] }),
    ['lots[1].quantity QUANTITY_INVALID'],
  ],
  ['a transfer in a trade', bought({ transfer: {} }), ['transfer FIELD_NOT_ALLOWED']],
  [
    'a carried lot of no day',
    transferIn({ carriedLots: [{ acquiredDate: 'x', quantity: '10', costBasis: '1' }] }),
    ['transfer.carried_lots[0].acquired_date DATE_INVALID'],
  ],
  [
    'a carried lot of 1699',
    transferIn({ carriedLots: [{ acquiredDate: '1699-12-31', quantity: '10', costBasis: '1' }] }),
    ['transfer.carried_lots[0].acquired_date DATE_INVALID'],
  ],
  [
    'carried lots of more than the quantity',
    transferIn({ carriedLots: [{ acquiredDate: '2024-01-01', quantity: '11', costBasis: '1' }] }),
    ['transfer.carried_lots LOTS_INVALID'],
  ],
  [
    'a price beside carried lots',
    transferIn(
      { carriedLots: [{ acquiredDate: '2024-01-01', quantity: '10', costBasis: '1' }] },
      { price: '1' },
    ),
    ['price FIELD_NOT_ALLOWED'],
  ],
  [
    'lots beside carried lots',
    transferIn(
      { carriedLots: [{ acquiredDate: '2024-01-01', quantity: '10', costBasis: '1' }] },
      { lots: [{ lotId: '1.0', quantity: '10' }] },
    ),
    ['lots FIELD_NOT_ALLOWED'],
  ],
  [
    'a carried lot of the day after tomorrow',
    transferIn({
      carriedLots: [{ acquiredDate: dayIn(2.5), quantity: '10', costBasis: '1' }],
    }),
    [`transfer.carried_lots[0].acquired_date ${OUT}`],
  ],
  [
    'a conversion of the base currency into itself',
    { type: Type.FX_CONVERSION, grossAmount: '1', counterCurrencyCode: 'USD', counterAmount: '1' },
    ['counter_currency_code CURRENCY_INVALID'],
  ],
  [
    'a conversion of another currency into itself',
    {
      type: Type.FX_CONVERSION,
      grossAmount: '1',
      currencyCode: 'EUR',
      fxRate: '1.1',
      counterCurrencyCode: 'EUR',
      counterAmount: '1',
    },
    ['counter_currency_code CURRENCY_INVALID'],
  ],
  [
    'a basis both known and unknown',
    transferIn({ basisUnknown: true }, { price: '1' }),
    ['transfer.basis_unknown FIELD_NOT_ALLOWED'],
  ],
  [
    'a basis both carried and unknown',
    transferIn({
      basisUnknown: true,
      carriedLots: [{ acquiredDate: '2024-01-01', quantity: '10', costBasis: '1' }],
    }),
    ['transfer.basis_unknown FIELD_NOT_ALLOWED'],
  ],
  [
    'a counterparty with a control character',
    transferIn({ counterpartyUserId: '\u0007' }),
    ['transfer.counterparty_user_id ACCOUNT_INVALID'],
  ],
  [
    'a conversion into nothing',
    { type: Type.FX_CONVERSION, grossAmount: '1' },
    ['counter_currency_code CURRENCY_INVALID', 'counter_amount AMOUNT_INVALID'],
  ],
  [
    'a counter amount of a trade',
    bought({ counterAmount: '1', counterCurrencyCode: 'EUR' }),
    ['counter_currency_code FIELD_NOT_ALLOWED', 'counter_amount FIELD_NOT_ALLOWED'],
  ],
]

it.each(cases)('%s', async (_, transaction, violations) => {
  const userId = newUser()
  const failure = await failureOf(record(userId, bought(), transaction, bought()))
  expect(failure.code).toBe('INVALID_ARGUMENT')
  expect(failure.violations).toEqual(violations.map((each) => `transactions[1].${each}`))
  expect(failure.info).toMatchObject({
    reason: violations[0]!.split(' ')[1],
    metadata: { violations: String(violations.length) },
  })
  expect(await rowCounts(fixture.database.raw, userId)).toEqual(NO_ROWS)
})

it('is a duplicate policy of nobody', async () => {
  const request = { userId: newUser(), transactions: [bought()], duplicatePolicy: 99 as never }
  const failure = await failureOf(log().record(request))
  expect(failure.code).toBe('INVALID_ARGUMENT')
  expect(failure.violations).toEqual(['duplicate_policy SETTINGS_INVALID'])
})

it('is named all at once, metadata, request and transactions', async () => {
  const failure = await failureOf(
    log().record(
      {
        userId: '',
        etag: 'x',
        requestId: 'ä',
        transactions: [{ type: Type.BUY }, dividend({ symbol: '', fee: 'x', quantity: '3' })],
      },
      { 'if-match': 'y' },
    ),
  )
  expect(failure.violations.toSorted()).toEqual(
    [
      'request_id IDEMPOTENCY_KEY_INVALID',
      'if-match ETAG_INVALID',
      'etag ETAG_INVALID',
      'user_id USER_ID_REQUIRED',
      'transactions[0].symbol SYMBOL_INVALID',
      'transactions[0].quantity QUANTITY_INVALID',
      'transactions[0].price PRICE_INVALID',
      'transactions[1].symbol SYMBOL_INVALID',
      'transactions[1].quantity FIELD_NOT_ALLOWED',
      'transactions[1].fee AMOUNT_INVALID',
    ].toSorted(),
  )
})

it('may be no transactions, or 1,001', async () => {
  const userId = newUser()
  expect((await failureOf(record(userId))).violations).toEqual([
    'transactions TRANSACTIONS_REQUIRED',
  ])
  const failure = await failureOf(record(userId, ...Array.from({ length: 1_001 }, () => bought())))
  expect(failure.violations).toEqual(['transactions TOO_MANY_TRANSACTIONS'])
  expect(failure.info?.metadata).toMatchObject({ actual: '1001', maximum: '1000' })
})
