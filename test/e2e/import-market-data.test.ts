import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { MarketDataService } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { runCli } from '../support/cli.ts'
import { useService } from '../support/service.ts'

const running = useService()
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portfolio-import-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function importLines(command: string, lines: readonly string[]) {
  const path = join(folder, `${command}.csv`)
  await writeFile(path, `${lines.join('\n')}\n`)
  return runCli([command, path], { TARGET: `127.0.0.1:${running.service.ports.grpc}` })
}

const quoteCount = async (): Promise<number> => {
  const { rows } = await running.database.raw.query('select count(*)::int as n from quote')
  return (rows[0] as { n: number }).n
}

test('prices are kept, and kept again they are none; each row that is not is named', async () => {
  const days = Array.from({ length: 250 }, (_, day) =>
    new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10),
  )
  const lines = [
    'symbol,date,close,currency',
    // The newest first: they are measured in order of time.
    ...days.toReversed().map((day, index) => `ACME,${day},${100 + (index % 2)},USD`),
    'EUR/USD,2024-03-01,1.08,',
    'ACME,2024-12-01,0,USD',
    'ACME,2024-09-08,500,USD',
    'not a symbol,2024-03-01,1,USD',
    'ACME,2024-03-01,one,USD',
  ]
  const first = await importLines('import-prices', lines)
  expect(first.errors).toContain('prices: 254 of 254\n')
  expect(first.errors).toContain(
    [
      'line 253: quarantined: PRICE_INVALID',
      'line 254: quarantined: OUTLIER',
      'line 255: quarantined: SYMBOL_INVALID',
      'line 256: price "one" is not a number',
      '251 prices kept, 4 rejected\n',
    ].join('\n'),
  )
  expect(first.code).toBe(1)
  expect(await quoteCount()).toBe(251)
  const again = await importLines('import-prices', lines)
  expect(again.errors).toContain('251 prices kept, 4 rejected')
  expect(await quoteCount()).toBe(251)
  const { message } = await running.client.batchGet({ symbols: ['ACME', 'EUR/USD'] })
  expect(message.quotes).toMatchObject([
    { symbol: 'ACME', price: '100', currencyCode: 'USD', source: 'csv' },
    { symbol: 'EUR/USD', price: '1.08', currencyCode: 'USD' },
  ])
})

test('instruments are described, and described again replaced; each that is not is named', async () => {
  const lines = [
    'symbol,asset class,currency,mic,isin,sector',
    'AAA,stock,USD,XNAS,US0378331005,Technology',
    'BBB,bond,EUR,,US0378331006,',
    'CCC,fund,EUR,,,',
    'CCC,etf,EUR,,,',
    'DDD,gem,EUR,,,',
  ]
  const first = await importLines('import-instruments', lines)
  expect(first.errors).toContain('instruments: 4 of 4\n')
  expect(first.errors).toContain(
    [
      'line 3: isin must be an ISIN with its check digit (ISIN_INVALID)',
      'line 5: instrument_id CCC stands twice in the request (INSTRUMENT_INVALID)',
      'line 6: "gem" is not an asset class',
      '2 instruments added, 0 replaced, 3 rejected\n',
    ].join('\n'),
  )
  expect(first.code).toBe(1)
  const again = await importLines('import-instruments', lines.slice(0, 2))
  expect(again).toMatchObject({
    code: 0,
    output: '0 instruments added, 1 replaced, 0 rejected\n',
  })
  const { message } = await running.client.unary(MarketDataService.method.listInstruments, {})
  expect(message.instruments).toMatchObject([
    { symbol: 'AAA', currencyCode: 'USD', classifications: { sector: 'Technology' } },
    { symbol: 'CCC', currencyCode: 'EUR' },
  ])
})

test('a command that is given wrongly says how it is given', async () => {
  const { code, errors } = await runCli(['import-prices'], {})
  expect(code).toBe(2)
  expect(errors).toContain('usage: cli import-prices FILE')
  const unreadable = await importLines('import-prices', ['a,b', '1,2'])
  expect(unreadable).toMatchObject({ code: 1 })
  expect(unreadable.errors).toContain('no line names the columns')
})
