import { describe, expect, it } from '@jest/globals'
import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { PassThrough } from 'node:stream'
import { DataQuality_Completeness as Completeness } from '../../../gen/portfolio/v1/common_pb.ts'
import { GetPortfolioResponseSchema } from '../../../gen/portfolio/v1/portfolio_service_pb.ts'
import { showProgress } from '../../../src/cli/progress.ts'
import { renderSummary } from '../../../samples/summary-table.ts'

const answer = create(GetPortfolioResponseSchema, {
  portfolio: { performancePercentage: 12.5 },
  detail: {
    reportingCurrency: 'USD',
    totalValue: '90071992547409931.235',
    costBasis: '1000',
    profitLoss: { total: '-0.5' },
    positions: [
      {
        symbol: 'IBM',
        quantity: '1.5000000000000001',
        costBasis: '150',
        price: '125.55',
        pricedAt: timestampFromDate(new Date('2010-03-09T21:00:00Z')),
        value: '188.325',
        profitLoss: { total: '38.325' },
      },
      { symbol: 'NEW', quantity: '2' },
    ],
    quality: {
      completeness: Completeness.STALE,
      issues: [{ symbol: 'IBM', reason: 'PRICE_STALE', detail: 'priced 2010-03-09' }],
    },
  },
})

describe('renderSummary', () => {
  const lines = renderSummary(answer).split('\n')
  const cells = (start: string) =>
    lines
      .find((line) => line.startsWith(`│ ${start}`))
      ?.split('│')
      .map((cell) => cell.trim())
      .slice(1, -1)

  it('shows each position, and nothing where nothing is known', () => {
    expect(cells('IBM')).toEqual(
      'IBM 1.5000000000000001 150.00 125.55 2010-03-09 188.33 38.33'.split(' '),
    )
    expect(cells('NEW')).toEqual(['NEW', '2', '', '', '', '', ''])
  })

  it('shows the totals to the cent, also beyond what a double holds', () => {
    expect(cells('total value')).toEqual(['total value', '90,071,992,547,409,931.24'])
    expect(cells('profit/loss')).toEqual(['profit/loss', '-0.50'])
    expect(cells('performance')).toEqual(['performance', '12.50 %'])
  })

  it('says how far the prices can be trusted, and why', () => {
    expect(lines).toContainEqual(expect.stringMatching(/^data quality: stale, .*9 March 2010/))
    expect(lines).toContain('  IBM: PRICE_STALE, priced 2010-03-09')
  })

  it('does not make a portfolio up', () => {
    expect(() => renderSummary(create(GetPortfolioResponseSchema))).toThrow('no portfolio')
  })
})

function fakeTerminal(isTTY: boolean) {
  const stream = new PassThrough()
  const written: string[] = []
  stream.on('data', (chunk: Buffer) => written.push(chunk.toString()))
  const terminal = { isTTY, columns: 80, cursorTo: () => true, clearLine: () => true }
  return { written, stream: Object.assign(stream, terminal) as unknown as NodeJS.WriteStream }
}

describe('showProgress', () => {
  it('is a plain line for each quarter where there is no terminal', () => {
    const { written, stream } = fakeTerminal(false)
    const progress = showProgress('prices', 10, stream)
    for (let done = 0; done < 10; done++) progress.advance(1)
    progress.end()
    expect(written).toEqual(['3', '5', '8', '10'].map((done) => `prices: ${done} of 10\n`))
  })

  it('is a bar on a terminal', () => {
    const { written, stream } = fakeTerminal(true)
    const progress = showProgress('prices', 10, stream)
    progress.advance(10)
    progress.end()
    expect(written.join('')).toContain('100 % | 10 of 10')
  })
})
