import { describe, expect, it } from '@jest/globals'
import { LotMethod } from '../../gen/portfolio/v1/common_pb.ts'
import { failureOf } from '../support/client.ts'
import {
  bought,
  moment,
  portfolioLog,
  type SentTransaction,
  sold,
} from '../support/portfolio-log.ts'
import { useService } from '../support/service.ts'
import { NO_ROWS, rowCounts } from '../support/store.ts'

const fixture = useService()

let users = 0
const newUser = (): string => `owner-${(users += 1)}`
const log = () => portfolioLog(fixture.client)
const on = (day: string, facts: SentTransaction = {}) =>
  bought({ effectiveAt: moment(`${day}T12:00:00Z`), ...facts })

describe('UpdatePortfolioSettings', () => {
  it('creates the portfolio, which is found then, with zeros', async () => {
    const userId = newUser()
    await log().changeSettings({ userId, settings: { baseCurrency: 'CHF' } })
    const { message } = await fixture.client.get({ userId })
    expect(message.portfolio).toMatchObject({ totalValue: 0, totalProfitLoss: 0, assets: [] })
    expect(message.detail).toMatchObject({ reportingCurrency: 'CHF', version: 1n, totalValue: '0' })
  })

  it('replaces all settings: what is left empty is the default again', async () => {
    const userId = newUser()
    await log().changeSettings({
      userId,
      settings: { lotMethod: LotMethod.HIFO, timeZone: 'Asia/Tokyo', benchmarkSymbols: ['spy'] },
    })
    const { message } = await log().changeSettings({ userId, settings: { allowShort: true } })
    expect(message.settings).toMatchObject({
      baseCurrency: 'USD',
      lotMethod: LotMethod.FIFO,
      allowShort: true,
      taxJurisdiction: 'NONE',
      timeZone: 'UTC',
      benchmarkSymbols: [],
    })
  })

  it('writes benchmark symbols in their canonical form', async () => {
    const settings = { benchmarkSymbols: [' spy ', '^gspc'] }
    const { message } = await log().changeSettings({ userId: newUser(), settings })
    expect(message.settings?.benchmarkSymbols).toEqual(['SPY', '^GSPC'])
  })

  it('applies another lot method to all that was recorded', async () => {
    const userId = newUser()
    await log().record({
      userId,
      transactions: [
        on('2024-01-01'),
        on('2024-01-02', { price: '130' }),
        sold({ quantity: '12', effectiveAt: moment('2024-01-03T00:00:00Z') }),
      ],
    })
    const realized = async () => {
      const { message } = await fixture.client.get({ userId })
      return message.detail!.profitLoss!.realized
    }
    expect(await realized()).toBe('540')
    const expected = [
      [LotMethod.LIFO, '300'],
      [LotMethod.AVERAGE_COST, '420'],
      [LotMethod.LOFO, '540'],
      [LotMethod.HIFO, '300'],
      [LotMethod.FIFO, '540'],
    ] as const
    for (const [lotMethod, result] of expected) {
      const { message } = await log().changeSettings({ userId, settings: { lotMethod } })
      expect(await realized()).toBe(result)
      const { message: read } = await log().settings({ userId })
      expect(read.settings?.etag).toBe(message.settings?.etag)
    }
    const failure = await failureOf(
      log().changeSettings({ userId, settings: { lotMethod: LotMethod.SPECIFIC_ID } }),
    )
    expect(failure).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'LOTS_REQUIRED' })
    expect(failure.precondition?.violations).toMatchObject([{ subject: 'settings' }])
    expect(await realized()).toBe('540')
  })

  it('lets shorts be opened, and refuses to forbid those that are open', async () => {
    const userId = newUser()
    const short = { userId, transactions: [sold()] }
    expect((await failureOf(log().record(short))).reason).toBe('INSUFFICIENT_QUANTITY')
    await log().changeSettings({ userId, settings: { allowShort: true } })
    await log().record(short)
    const failure = await failureOf(log().changeSettings({ userId, settings: {} }))
    expect(failure).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'INSUFFICIENT_QUANTITY' })
  })

  it('keeps the base currency from the first transaction on', async () => {
    const userId = newUser()
    await log().changeSettings({ userId, settings: { baseCurrency: 'EUR' } })
    await log().changeSettings({ userId, settings: { baseCurrency: 'CHF' } })
    await log().record({ userId, transactions: [bought()] })
    const failure = await failureOf(
      log().changeSettings({ userId, settings: { baseCurrency: 'USD' } }),
    )
    expect(failure).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'BASE_CURRENCY_FIXED' })
    expect(failure.precondition?.violations).toMatchObject([{ subject: 'settings.base_currency' }])
  })

  it('moves a trade to the day of the new time zone', async () => {
    const userId = newUser()
    await log().record({
      userId,
      transactions: [bought({ effectiveAt: moment('2024-02-29T23:00:00Z') })],
    })
    const dayIn = async (timeZone: string) => {
      await log().changeSettings({ userId, settings: { timeZone } })
      const { message } = await log().lots({ userId })
      return message.lots[0]!.acquiredDate
    }
    expect(await dayIn('Europe/Berlin')).toBe('2024-03-01')
    expect(await dayIn('America/New_York')).toBe('2024-02-29')
  })
})

describe('etag and request_id', () => {
  it('the etag guards the change', async () => {
    const userId = newUser()
    const { message } = await log().changeSettings({ userId, settings: {} })
    const etag = message.settings!.etag
    await log().record({ userId, transactions: [bought()] })
    const failure = await failureOf(log().changeSettings({ userId, settings: { etag } }))
    expect(failure).toMatchObject({ code: 'ABORTED', reason: 'ETAG_MISMATCH' })
    const { message: read } = await log().settings({ userId })
    expect(failure.info?.metadata).toEqual({ etag: read.settings!.etag })
    await log().changeSettings({ userId, settings: { etag: read.settings!.etag } })
  })

  it('changes with every change, also one that writes no transaction', async () => {
    const userId = newUser()
    const etags = new Set<string>()
    for (const allowShort of [true, false, true]) {
      const { message } = await log().changeSettings({ userId, settings: { allowShort } })
      etags.add(message.settings!.etag)
    }
    expect(etags.size).toBe(3)
  })

  it('a request_id is replayed, refused for other content, and one with the header', async () => {
    const userId = newUser()
    const request = { userId, settings: { timeZone: 'Asia/Tokyo' }, requestId: 'r' }
    const first = await log().changeSettings(request)
    await log().changeSettings({ userId, settings: { timeZone: 'UTC' } })
    const again = await log().changeSettings(request, { 'idempotency-key': 'r' })
    expect(again.message).toEqual(first.message)
    expect((await log().settings({ userId })).message.settings?.timeZone).toBe('UTC')
    const reused = await failureOf(
      log().changeSettings({ ...request, settings: { timeZone: 'UTC' } }),
    )
    expect(reused.reason).toBe('IDEMPOTENCY_KEY_REUSED')
    const differing = await failureOf(log().changeSettings(request, { 'idempotency-key': 's' }))
    expect(differing.violations).toEqual(['request_id IDEMPOTENCY_KEY_INVALID'])
  })
})

describe('bad input', () => {
  it('is named all at once', async () => {
    const userId = newUser()
    const failure = await failureOf(
      log().changeSettings({
        userId: `${userId}\n`,
        requestId: '\u00e4',
        settings: {
          baseCurrency: 'euro',
          lotMethod: 42 as LotMethod,
          taxJurisdiction: 'XX',
          timeZone: 'Mars/Olympus',
          benchmarkSymbols: ['SPY', '?'],
          etag: 'x',
        },
      }),
    )
    expect(failure.code).toBe('INVALID_ARGUMENT')
    expect(failure.violations.toSorted()).toEqual([
      'request_id IDEMPOTENCY_KEY_INVALID',
      'settings.base_currency CURRENCY_INVALID',
      'settings.benchmark_symbols[1] SYMBOL_INVALID',
      'settings.etag ETAG_INVALID',
      'settings.lot_method SETTINGS_INVALID',
      'settings.tax_jurisdiction SETTINGS_INVALID',
      'settings.time_zone SETTINGS_INVALID',
      'user_id USER_ID_INVALID',
    ])
    expect(await rowCounts(fixture.database.raw, userId)).toEqual(NO_ROWS)
  })

  it('may be no settings at all, beside other mistakes', async () => {
    const failure = await failureOf(log().changeSettings({ userId: '' }))
    expect(failure.violations).toEqual(['user_id USER_ID_REQUIRED', 'settings SETTINGS_INVALID'])
  })

  it('may be 21 benchmarks', async () => {
    const benchmarkSymbols = Array.from({ length: 21 }, (_, index) => `S${index}`)
    const failure = await failureOf(
      log().changeSettings({ userId: newUser(), settings: { benchmarkSymbols } }),
    )
    expect(failure.violations).toEqual(['settings.benchmark_symbols SETTINGS_INVALID'])
  })

  it('may be an etag of a portfolio that is not there yet', async () => {
    const { message } = await log().changeSettings({ userId: newUser(), settings: {} })
    const userId = newUser()
    const failure = await failureOf(
      log().changeSettings({ userId, settings: { etag: message.settings!.etag } }),
    )
    expect(failure).toMatchObject({ code: 'ABORTED', reason: 'ETAG_MISMATCH' })
    expect(await rowCounts(fixture.database.raw, userId)).toEqual(NO_ROWS)
  })
})
