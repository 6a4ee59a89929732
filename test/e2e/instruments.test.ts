import type { MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, it } from '@jest/globals'
import { AssetClass } from '../../gen/portfolio/v1/common_pb.ts'
import {
  type InstrumentSchema,
  Instrument_Derivative_Right as Right,
  MarketDataService,
} from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { failureOf } from '../support/client.ts'
import { useService } from '../support/service.ts'
import { waitUntil } from '../support/store.ts'

const { upsertInstruments, listInstruments } = MarketDataService.method
const fixture = useService()

type Sent = MessageInitShape<typeof InstrumentSchema>

async function upsert(...instruments: readonly Sent[]): Promise<string> {
  const { message } = await fixture.client.unary(upsertInstruments, {
    instruments: [...instruments],
  })
  return `${message.created} created, ${message.updated} updated`
}

async function list(symbols: readonly string[], client = fixture.client) {
  const { message } = await client.unary(listInstruments, { symbols: [...symbols] })
  return message.instruments
}

async function refusalsOf(...instruments: readonly Sent[]): Promise<readonly string[]> {
  return (await failureOf(upsert(...instruments))).violations
}

describe('UpsertInstruments', () => {
  it('keeps all it is told, and gives it back', async () => {
    const option: Sent = {
      symbol: 'ACME240621C00100000',
      exchangeMic: 'XCBO',
      currencyCode: 'USD',
      assetClass: AssetClass.OPTION,
      multiplier: '100',
      classifications: { sector: 'Technology', country: 'US' },
      derivative: {
        underlyingSymbol: 'ACME',
        expiryDate: '2024-06-21',
        strike: '100',
        right: Right.CALL,
      },
    }
    const share: Sent = {
      symbol: 'acme.l',
      exchangeMic: 'XLON',
      isin: 'GB0002634946',
      figi: 'BBG000BLNNH6',
      currencyCode: 'GBX',
      assetClass: AssetClass.EQUITY,
      quantityScale: 0,
    }
    expect(await upsert(option, share)).toBe('2 created, 0 updated')
    const [first, second] = await list(['ACME240621C00100000', 'GB0002634946'])
    expect(first!.derivative).toBeUndefined()
    expect(first).toMatchObject({
      ...share,
      instrumentId: 'ACME.L',
      symbol: 'ACME.L',
      multiplier: '1',
      symbolHistory: [{ symbol: 'ACME.L', fromDate: '', toDate: '' }],
      classifications: {},
    })
    expect(second).toMatchObject({ ...option, instrumentId: option.symbol, quantityScale: 0 })
    expect(await upsert({ ...share, currencyCode: 'GBp' })).toBe('0 created, 1 updated')
    expect((await list(['ACME.L']))[0]!.currencyCode).toBe('GBp')
  })

  it('has the decimals of the class where none are told', async () => {
    await upsert(
      { symbol: 'SCALE.C', assetClass: AssetClass.CRYPTO },
      { symbol: 'SCALE.F', assetClass: AssetClass.FUTURE, multiplier: '50' },
    )
    const scales = (await list(['SCALE.C', 'SCALE.F'])).map(({ quantityScale }) => quantityScale)
    expect(scales).toEqual([18, 0])
  })

  it('follows a rename by its id, and lets another have the old symbol', async () => {
    await upsert({ symbol: 'FB', assetClass: AssetClass.EQUITY })
    const renamed: Sent = {
      instrumentId: 'FB',
      symbol: 'META',
      assetClass: AssetClass.EQUITY,
      symbolHistory: [{ symbol: 'FB', fromDate: '2012-05-18', toDate: '2022-06-08' }],
    }
    expect(await upsert(renamed)).toBe('0 created, 1 updated')
    const [meta] = await list(['META'])
    expect(meta).toMatchObject({ instrumentId: 'FB', symbol: 'META' })
    expect(meta!.symbolHistory).toMatchObject([
      { symbol: 'FB', fromDate: '2012-05-18', toDate: '2022-06-08' },
      { symbol: 'META', fromDate: '2022-06-09', toDate: '' },
    ])
    expect(await list(['FB'])).toEqual([])
    const other: Sent = {
      symbol: 'FB',
      assetClass: AssetClass.ETF,
      symbolHistory: [{ symbol: 'FB', fromDate: '2023-01-01' }],
    }
    expect(await refusalsOf(other)).toEqual(['instruments[0].instrument_id INSTRUMENT_INVALID'])
    await upsert({ ...other, instrumentId: 'FB.2' })
    expect((await list(['FB']))[0]!.instrumentId).toBe('FB.2')
  })

  it('refuses a symbol that means another instrument on the same day, and changes nothing', async () => {
    await upsert({ symbol: 'TAKEN', assetClass: AssetClass.EQUITY })
    const failure = await failureOf(
      upsert(
        { symbol: 'FREE', assetClass: AssetClass.EQUITY },
        {
          symbol: 'NEW',
          assetClass: AssetClass.EQUITY,
          symbolHistory: [{ symbol: 'TAKEN', fromDate: '2020-01-01', toDate: '2021-01-01' }],
        },
      ),
    )
    expect(failure.code).toBe('INVALID_ARGUMENT')
    expect(failure.violations).toEqual(['instruments[1].symbol_history SYMBOL_TAKEN'])
    expect(await list(['FREE', 'NEW'])).toEqual([])
  })

  it('names every field that is wrong', async () => {
    expect(
      await refusalsOf(
        {
          symbol: '!',
          exchangeMic: 'nyse',
          isin: 'US0378331006',
          figi: 'BBG000BLNNH5',
          currencyCode: 'usd',
          multiplier: '-1',
          quantityScale: 19,
          symbolHistory: [{ symbol: 'A', fromDate: '2024-02-30', toDate: '2024-01-01' }],
        },
        { symbol: 'A', assetClass: AssetClass.OPTION },
        { symbol: 'A', assetClass: AssetClass.CASH },
        { symbol: 'A', assetClass: AssetClass.EQUITY, derivative: { expiryDate: '2024-06-21' } },
        {
          symbol: 'A',
          assetClass: AssetClass.OPTION,
          multiplier: '100',
          derivative: { underlyingSymbol: 'B', expiryDate: 'x', strike: '1' },
        },
      ),
    ).toEqual([
      'instruments[0].asset_class INSTRUMENT_INVALID',
      'instruments[0].symbol SYMBOL_INVALID',
      'instruments[0].exchange_mic INSTRUMENT_INVALID',
      'instruments[0].isin ISIN_INVALID',
      'instruments[0].figi FIGI_INVALID',
      'instruments[0].currency_code CURRENCY_INVALID',
      'instruments[0].multiplier INSTRUMENT_INVALID',
      'instruments[0].quantity_scale INSTRUMENT_INVALID',
      'instruments[0].symbol_history[0].from_date DATE_INVALID',
      'instruments[0].symbol_history[0].to_date INSTRUMENT_INVALID',
      'instruments[1].multiplier INSTRUMENT_INVALID',
      'instruments[2].currency_code INSTRUMENT_INVALID',
      'instruments[3].derivative FIELD_NOT_ALLOWED',
      'instruments[4].derivative.expiry_date DATE_INVALID',
      'instruments[4].derivative INSTRUMENT_INVALID',
    ])
    expect(await refusalsOf()).toEqual(['instruments INSTRUMENTS_REQUIRED'])
    expect(
      await refusalsOf(
        { symbol: 'TWICE', assetClass: AssetClass.EQUITY },
        { symbol: 'TWICE', assetClass: AssetClass.ETF },
      ),
    ).toEqual(['instruments[1].instrument_id INSTRUMENT_INVALID'])
  })

  it('is known to other replicas soon', async () => {
    const other = await fixture.start()
    await upsert({ symbol: 'SHARED', assetClass: AssetClass.ETF })
    await waitUntil(async () => (await list(['SHARED'], other.client)).length > 0)
    expect((await list(['SHARED'], other.client))[0]!.assetClass).toBe(AssetClass.ETF)
  })
})

describe('ListInstruments', () => {
  it('lists all in pages that never shift', async () => {
    const symbols = ['PAGE.A', 'PAGE.B', 'PAGE.C', 'PAGE.D', 'PAGE.E']
    await upsert(...symbols.map((symbol): Sent => ({ symbol, assetClass: AssetClass.EQUITY })))
    const shown: string[] = []
    let pageToken = ''
    do {
      const { message } = await fixture.client.unary(listInstruments, {
        symbols,
        pageSize: 2,
        pageToken,
      })
      shown.push(message.instruments.map(({ symbol }) => symbol).join(' '))
      pageToken = message.nextPageToken
      await upsert({ symbol: 'PAGE.AA', assetClass: AssetClass.EQUITY })
    } while (pageToken !== '')
    expect(shown).toEqual(['PAGE.A PAGE.B', 'PAGE.C PAGE.D', 'PAGE.E'])
    const { message } = await fixture.client.unary(listInstruments, { pageSize: 1_000 })
    const all = message.instruments.map(({ instrumentId }) => instrumentId)
    expect(all).toEqual(all.toSorted())
    expect(all).toEqual(expect.arrayContaining(symbols))
  })

  it('names every field that is wrong', async () => {
    const call = fixture.client.unary(listInstruments, {
      symbols: ['OK', '!'],
      pageSize: -1,
      pageToken: 'nonsense',
    })
    expect((await failureOf(call)).violations).toEqual([
      'symbols[1] SYMBOL_INVALID',
      'page_size PAGE_INVALID',
      'page_token PAGE_INVALID',
    ])
  })
})
