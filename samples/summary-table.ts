import { timestampDate } from '@bufbuild/protobuf/wkt'
import Table from 'cli-table3'
import {
  type DataQuality,
  DataQuality_Completeness as Completeness,
} from '../gen/portfolio/v1/common_pb.ts'
import type { GetPortfolioResponse, Position } from '../gen/portfolio/v1/portfolio_service_pb.ts'

/** At most this many of the answer's remarks are shown. */
const ISSUES_SHOWN_MAX = 10
const POSITION_COLUMNS = [
  'symbol',
  'quantity',
  'cost basis',
  'price',
  'priced on',
  'value',
  'profit/loss',
]

const QUALITIES: ReadonlyMap<Completeness, string> = new Map([
  [Completeness.COMPLETE, 'complete, every position has a fresh price.'],
  [
    Completeness.STALE,
    'stale, every position has a price, but an old one. That is right: the data set ends on 9 March 2010 for the\n' +
      'shares and on 17 April 2020 for the index, and the service does not pass such prices off as today’s.',
  ],
  [Completeness.PARTIAL, 'partial, positions without a price are left out of the totals.'],
  [Completeness.UNAVAILABLE, 'unavailable, nothing could be valued.'],
])

/** The portfolio for a reader: positions, totals, and how far they can be trusted. */
export function renderSummary({ portfolio, detail }: GetPortfolioResponse): string {
  if (portfolio === undefined || detail === undefined) {
    throw new Error('the service answered no portfolio')
  }
  const positions = plainTable(POSITION_COLUMNS)
  positions.push(...detail.positions.map(positionCells))
  const currency = detail.reportingCurrency
  const totals = plainTable([`totals in ${currency}`, ''])
  totals.push(
    ['total value', amount(detail.totalValue)],
    ['cost basis', amount(detail.costBasis)],
    ['profit/loss', amount(detail.profitLoss?.total)],
    ['  realised', amount(detail.profitLoss?.realized)],
    ['  unrealised', amount(detail.profitLoss?.unrealized)],
    ['performance', `${amount(portfolio.performancePercentage)} %`],
  )
  return [positions.toString(), totals.toString(), ...qualityLines(detail.quality)].join('\n')
}

function positionCells(position: Position): string[] {
  return [
    position.symbol,
    position.quantity,
    amount(position.costBasis),
    amount(position.price),
    position.pricedAt === undefined
      ? ''
      : timestampDate(position.pricedAt).toISOString().slice(0, 10),
    amount(position.value),
    amount(position.profitLoss?.total),
  ]
}

function qualityLines(quality: DataQuality | undefined): string[] {
  if (quality === undefined) return []
  const { completeness, issues } = quality
  const lines = [`data quality: ${QUALITIES.get(completeness) ?? 'not told'}`]
  for (const { symbol, reason, detail } of issues.slice(0, ISSUES_SHOWN_MAX)) {
    lines.push(`  ${symbol}: ${reason}${detail === '' ? '' : `, ${detail}`}`)
  }
  const hidden = issues.length - ISSUES_SHOWN_MAX
  return hidden > 0 ? [...lines, `  and ${hidden} more`] : lines
}

function plainTable(head: string[]): InstanceType<typeof Table> {
  const colAligns = head.map((_, index): 'left' | 'right' => (index === 0 ? 'left' : 'right'))
  return new Table({ head, colAligns, style: { head: [], border: [], compact: true } })
}

/** Two decimals of an exact decimal, without taking it through a double. */
function amount(value: string | number | undefined): string {
  if (value === undefined || value === '') return ''
  const format = new Intl.NumberFormat('en-US', {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  })
  return format.format(value as `${number}`)
}
