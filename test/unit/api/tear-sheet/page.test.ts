import { describe, expect, it } from '@jest/globals'
import { tearSheetPage } from '../../../../src/api/tear-sheet/page.ts'
import type { TearSheet } from '../../../../src/app/analytics/tear-sheet.ts'
import { decimal } from '../../../../src/domain/decimal.ts'
import { period, v6Period } from '../../domain/analytics/periods.ts'
import { comparisonOf, sheetOf, twoYears } from './sheets.ts'

const HOSTILE = `<script>alert("1")</script>&'`
const ESCAPED = '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;'

function full(): TearSheet {
  const history = twoYears()
  return sheetOf(history, {
    benchmark: comparisonOf('^GSPC', history),
    benchmarkPricedOn: 20_000,
    holdings: [
      { symbol: 'AAPL', quantity: 12.5, value: 8_000 },
      { symbol: 'TSLA', quantity: -3, value: -600 },
      { symbol: 'LOST', quantity: 1, value: undefined },
    ],
    allocation: [
      { dimension: 'asset_class', key: 'EQUITY', value: 7_400, weight: 1 },
      { dimension: 'asset_class', key: 'REAL_ESTATE', value: 2_600, weight: 1 },
    ],
  })
}

/** Texts of all elements of a name, as they stand there. */
function texts(page: string, element: string): readonly string[] {
  const pattern = new RegExp(`<${element}(?![a-z])[^>]*>([^]*?)</${element}\\s*>`, 'g')
  return [...page.matchAll(pattern)].map(([, text]) => text!.replaceAll(/\s+/g, ' ').trim())
}

/** What stands beside the name of a figure. */
function figure(page: string, name: string): string | undefined {
  const row = texts(page, 'tr').find((text) => text.startsWith(`<th scope="row">${name}<span`))
  return row === undefined ? undefined : texts(row, 'td').at(-1)
}

function expectSound(page: string): void {
  expect(page).not.toMatch(/NaN|undefined|Infinity|\[object|null/)
  expect(page).not.toMatch(/<script|<iframe|<img|\son\w+=|javascript:|https?:|url\(|@import/i)
  const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id!)
  expect(new Set(ids).size).toBe(ids.length)
  for (const [, named] of page.matchAll(/aria-labelledby="([^"]*)"/g)) {
    for (const id of named!.split(' ')) expect(ids).toContain(id)
  }
  for (const [heading] of page.matchAll(/<th(?![a-z])[^>]*>/g))
    expect(heading).toMatch(/scope="(row|col)"/)
  for (const [svg] of page.matchAll(/<svg[^>]*role="img"[^>]*>[^]*?<\/desc>/g)) {
    expect(svg).toMatch(/<title [^>]*>[^<]+<\/title>\s*<desc [^>]*>[^<]+<\/desc>/)
  }
}

describe('tearSheetPage', () => {
  it('has its sections in order, each table with what it is', () => {
    const page = tearSheetPage(full())
    expectSound(page)
    expect(texts(page, 'h2')).toEqual([
      'Value and flows',
      'Cumulative return',
      'Drawdown',
      'Monthly returns',
      'Allocation',
      'Contribution to the return',
      'Figures and their definitions',
      'Data quality and notes',
    ])
    expect(texts(page, 'caption')).toEqual([
      'Deepest drawdowns',
      'Holdings',
      'Asset classes',
      'Value, USD',
      'Return',
      'Risk',
      'Against ^GSPC',
    ])
    expect(page.match(/<svg[^>]*role="img"/g)).toHaveLength(4)
    expect(page.match(/Content-Security-Policy/g)).toHaveLength(1)
  })

  it('is the same for the same answer', () => {
    expect(tearSheetPage(full())).toBe(tearSheetPage(full()))
  })

  it('says when it was computed, and what the figures are of', () => {
    const page = tearSheetPage(full())
    expect(page).toContain('2025-01-03 10:20:30 UTC')
    expect(page).toContain('Europe/Berlin')
    expect(page).toContain('prices alone; dividends are not in it')
    expect(page).toContain('Its last price used is of 4 Oct 2024.')
    expect(page).toContain('risk-free rate of 2.00% a year')
  })

  it('names what is the matter with the benchmark, and not again what is with the portfolio', () => {
    const history = twoYears()
    const sheet = sheetOf(history)
    const old = { symbol: 'AAPL', reason: 'PRICE_STALE', detail: 'priced long ago' } as const
    const missing = { symbol: 'SPX', reason: 'ACTION_LEFT_OUT', detail: 'a split' } as const
    const page = tearSheetPage({
      ...sheet,
      performance: {
        ...sheet.performance,
        quality: { ...sheet.performance.quality, issues: [old] },
      },
      benchmark: {
        ...comparisonOf('SPX', history),
        quality: { completeness: 'PARTIAL', pricedAt: undefined, issues: [old, missing] },
      },
    })
    expect(page).toContain('Of the benchmark, SPX: corporate action left out, a split.')
    expect(page).not.toContain('Of the benchmark, AAPL')
  })

  it('says whether the dividends of the benchmark are in it', () => {
    const sheet = full()
    const page = tearSheetPage({
      ...sheet,
      benchmark: { ...sheet.benchmark!, isTotalReturn: true },
    })
    expect(page.match(/prices alone|price only/g)).toBeNull()
    expect(page.match(/dividends reinvested/g)).toHaveLength(2)
    expect(tearSheetPage(sheet).match(/prices alone|price only/g)).toHaveLength(3)
  })

  it('shows whatever a user or a symbol is called as text', () => {
    const sheet = full()
    const { performance, benchmark } = sheet
    const page = tearSheetPage({
      ...sheet,
      userId: HOSTILE,
      timeZone: HOSTILE,
      benchmark: { ...benchmark!, benchmarkId: HOSTILE },
      holdings: [{ symbol: HOSTILE, quantity: 1, value: 1 }],
      allocation: [{ dimension: 'asset_class', key: HOSTILE, value: 1, weight: 1 }],
      performance: {
        ...performance,
        attribution: [{ component: HOSTILE, amount: decimal(0.1) }],
        quality: {
          completeness: 'PARTIAL',
          pricedAt: undefined,
          issues: [{ symbol: HOSTILE, reason: 'PRICE_MISSING', detail: HOSTILE }],
        },
      },
    })
    expectSound(page)
    expect(page).not.toContain('alert("1")')
    expect(page.split(ESCAPED).length).toBeGreaterThan(10)
    expect(page).toContain(`<bdi>${ESCAPED}</bdi>`)
    expect(page).toContain(`<title>Portfolio report: ${ESCAPED}</title>`)
  })

  it('says openly that no benchmark was given', () => {
    const page = tearSheetPage(sheetOf(twoYears()))
    expectSound(page)
    expect(page.match(/No benchmark was given/g)).toHaveLength(3)
    expect(texts(page, 'caption')).not.toContain('Against')
  })

  it('tells numbers for people', () => {
    const page = tearSheetPage(full())
    const { performance } = full().performance
    const end = performance.endValue.toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ',')
    expect(figure(page, 'End value')).toBe(end)
    expect(figure(page, 'Up capture')).toBe('0.00023')
    expect(figure(page, 'Beta')).toBe('0.50')
    expect(figure(page, 'Maximum drawdown')).toMatch(/^−\d+\.\d\d%$/)
    expect(page).toContain('<th scope="row">Real estate</th>')
  })

  it('has axes with round dates and numbers', () => {
    const page = tearSheetPage(full())
    const [valueChart = '', axis = ''] = page.split('class="values"')
    expect(texts(valueChart, 'text')).toEqual(
      ['Jan', 'Apr', 'Jul', 'Oct']
        .flatMap((month) => `${month} 2023`)
        .concat(['Jan', 'Apr', 'Jul', 'Oct'].map((month) => `${month} 2024`)),
    )
    const values = texts(axis.split('</div>')[0]!, 'text')
    expect(values.length).toBeGreaterThanOrEqual(4)
    for (const value of values) expect(value).toMatch(/^(0|\d{1,2}K)$/)
  })

  it('has as many decimals as the currency', () => {
    const sheet = sheetOf(twoYears())
    const yen = { ...sheet.performance, reportingCurrency: 'JPY' }
    expect(figure(tearSheetPage({ ...sheet, performance: yen }), 'End value')).toMatch(/^[\d,]+$/)
  })
})

describe('a figure that does not exist', () => {
  it('is told in words', () => {
    const sheet = full()
    const { performance, risk } = sheet.performance
    const page = tearSheetPage({
      ...sheet,
      performance: {
        ...sheet.performance,
        concentration: { status: 'NO_CAPITAL' },
        performance: {
          ...performance,
          moneyWeighted: { status: 'MULTIPLE_SOLUTIONS', roots: [-0.12, 0.305] },
          modifiedDietz: { status: 'NO_CAPITAL' },
          simple: { status: 'NO_SOLUTION' },
        },
        risk: {
          ...risk,
          sharpeRatio: { status: 'NO_VARIANCE' },
          sortinoRatio: { status: 'NO_DOWNSIDE' },
          calmarRatio: { status: 'NO_DRAWDOWN' },
        },
      },
    })
    expectSound(page)
    const told = {
      'Money-weighted return': 'several solutions: −12.00%, 30.50% a year',
      'Money-weighted, per year': 'several solutions',
      'Modified Dietz return': 'no capital at work',
      'Simple return': 'no solution',
      'Sharpe ratio': 'returns do not vary',
      'Sortino ratio': 'no losing days',
      'Calmar ratio': 'no drawdown',
      Concentration: 'no capital at work',
      'Same cash flows, USD': 'more taken out than it held',
    }
    for (const [name, words] of Object.entries(told)) {
      expect([name, figure(page, name)]).toEqual([name, words])
    }
    expect(page).not.toContain('Sharpe ratio returns do not vary')
  })

  it('is not annualised under a year', () => {
    const page = tearSheetPage(sheetOf(v6Period()))
    expect(figure(page, 'Time-weighted return')).toBe('4.50%')
    expect(figure(page, 'Time-weighted, per year')).toBe('under one year')
  })

  it('is missing a price from where the price is missing', () => {
    const rows = [
      { day: '2024-01-01', value: 100, inflow: 100 },
      { day: '2024-01-02', value: 110 },
      { day: '2024-02-05', value: NaN, inflow: 10 },
    ]
    const page = tearSheetPage(sheetOf(period(rows, '2024-01-01', '2024-02-05')))
    expectSound(page)
    for (const name of ['End value', 'Gain', 'Time-weighted return', 'Volatility']) {
      expect([name, figure(page, name)]).toEqual([name, 'a price is missing'])
    }
    expect(page).toContain('The return is not known to the end: a price is missing.')
    expect(texts(page, 'abbr')).toEqual(['n/k', 'n/k'])
    expect(page.match(/<svg[^>]*role="img"/g)).toHaveLength(4)
  })
})

describe('a short history', () => {
  it('of no transaction has no chart, and nothing of zero', () => {
    const page = tearSheetPage(
      sheetOf(period([{ day: '2024-01-01', value: 0 }], '2024-01-01', '2024-01-01')),
    )
    expectSound(page)
    expect(page.match(/Nothing was held or moved in this period/g)).toHaveLength(4)
    expect(page).not.toContain('role="img"')
    expect(page).not.toContain('class="heat"')
    expect(figure(page, 'Time-weighted return')).toBe('no capital at work')
    expect(figure(page, 'Maximum drawdown')).toBe('no capital at work')
    expect(page).toContain('Nothing is held at the end of the period.')
  })

  it('without any row has no chart either', () => {
    const page = tearSheetPage(sheetOf(period([], '2024-01-01', '2024-01-01')))
    expectSound(page)
    expect(page).not.toContain('role="img"')
    expect(figure(page, 'Time-weighted return')).toBe('history too short')
  })

  it('of a day has charts of that day', () => {
    const rows = [{ day: '2024-03-05', value: 105, inflow: 100 }]
    const page = tearSheetPage(sheetOf(period(rows, '2024-03-05', '2024-03-05')))
    expectSound(page)
    expect(page.match(/<svg[^>]*role="img"/g)).toHaveLength(4)
    expect(page).toContain('5 Mar')
    expect(figure(page, 'Time-weighted return')).toBe('5.00%')
    expect(figure(page, 'Volatility')).toBe('history too short')
  })
})

describe('a long list', () => {
  it('of holdings or of issues is summed up at its end', () => {
    const symbols = Array.from({ length: 30 }, (_, at) => `S${at}`)
    const sheet = full()
    const page = tearSheetPage({
      ...sheet,
      holdings: symbols.map((symbol) => ({ symbol, quantity: 1, value: 10 })),
      allocation: [{ dimension: 'asset_class', key: 'ETF', value: 300, weight: 1 }],
      performance: {
        ...sheet.performance,
        attribution: symbols.map((component) => ({ component, amount: decimal(0.01) })),
        quality: {
          completeness: 'STALE',
          pricedAt: undefined,
          issues: symbols.map((symbol) => ({ symbol, reason: 'PRICE_STALE', detail: 'old' })),
        },
      },
    })
    expectSound(page)
    expect(page.match(/18 others/g)).toHaveLength(2)
    const rest = texts(page, 'tr').find((row) => row.includes('18 others'))!
    expect(texts(rest, 'td').slice(1, 3)).toEqual(['180.00', '60.0%'])
    expect(page).toContain('and 10 more')
  })
})
