import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ecbProvider, parseRates } from '../../../../src/infra/market-data/providers/ecb.ts'

const XML = `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
	<gesmes:subject>Reference rates</gesmes:subject>
	<Cube>
		<Cube time="2024-06-28"><Cube currency="USD" rate="1.0705"/><Cube currency="JPY" rate="171.94"/></Cube>
		<Cube time='2024-06-27'>
			<Cube currency='USD' rate='1.0696'/>
		</Cube>
	</Cube>
</gesmes:Envelope>`
const DAILY_CSV = 'Date, USD, JPY, \n28 June 2024, 1.0705, 171.94, \n'
const HISTORICAL_CSV = 'Date,USD,JPY,RUB,\n2024-06-28,1.0705,171.94,N/A,\n2024-06-27,1.0696,,N/A,\n'

const LATEST = {
  day: '2024-06-28',
  rates: [
    { currency: 'USD', rate: '1.0705' },
    { currency: 'JPY', rate: '171.94' },
  ],
}
const BEFORE = { day: '2024-06-27', rates: [{ currency: 'USD', rate: '1.0696' }] }

describe('parseRates', () => {
  it.each([
    ['the XML', XML, [BEFORE, LATEST]],
    ["the day's CSV", DAILY_CSV, [LATEST]],
    ['the historical CSV', HISTORICAL_CSV, [BEFORE, LATEST]],
  ])('reads %s, oldest first', (_, text, days) => {
    expect(parseRates(text)).toEqual(days)
  })

  it.each(['', '<html>down for maintenance</html>', 'Date,USD\n2024-06-28,N/A'])(
    'refuses %j: no rate is not nothing new',
    (text) => {
      expect(() => parseRates(text)).toThrow('no reference rates')
    },
  )
})

describe('ecbProvider', () => {
  const { signal } = new AbortController()
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portfolio-ecb-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('tells what was asked for: all days once, then the newest; and reads again after an hour', async () => {
    const file = join(folder, 'rates.xml')
    await writeFile(file, XML)
    let nowMs = 0
    const provider = ecbProvider(file, () => nowMs)
    const asked = ['EUR/USD', 'USD/EUR', 'ACME']
    const first = await provider.fetch(asked, signal)
    expect(first.map(({ symbol, price }) => `${symbol} ${price}`)).toEqual([
      'EUR/USD 1.0696',
      'EUR/USD 1.0705',
    ])
    // 14:10 in Frankfurt is 13:10 UTC in winter.
    expect(first[1]).toMatchObject({
      currencyCode: 'USD',
      pricedAt: Date.parse('2024-06-28T13:10:00Z') * 1_000,
    })
    expect(await provider.fetch(asked, signal)).toEqual([first[1]])
    await writeFile(file, XML.replace('1.0705', '1.0711'))
    nowMs = 3_600_001
    expect(await provider.fetch(asked, signal)).toMatchObject([{ price: '1.0711' }])
  })

  it('fails when there is nothing to read, and reads nothing for what is no rate', async () => {
    const provider = ecbProvider(join(folder, 'none.xml'))
    expect(await provider.fetch(['ACME', 'GBP/USD'], signal)).toEqual([])
    await expect(provider.fetch(['EUR/USD'], signal)).rejects.toThrow('ENOENT')
  })
})
