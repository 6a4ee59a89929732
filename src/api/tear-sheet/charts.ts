import type { TearSheet } from '../../app/analytics/tear-sheet.ts'
import { type EpochDay, type Interval, intervalNumber } from '../../domain/analytics/epoch-day.ts'
import type { SeriesPoint } from '../../domain/analytics/resample.ts'
import { compact, money, percent, statusWords } from './format.ts'
import { type Content, html, type Markup } from './html.ts'
import { type Bar, type DayValue, timeChart } from './time-chart.ts'

/** More bars than this are hard to tell apart. */
const BARS_MAX = 60

/** What the charts of a sheet have in common. */
interface Drawn {
  readonly sheet: TearSheet
  readonly series: readonly SeriesPoint[]
  readonly fromDay: EpochDay
  readonly toDay: EpochDay
}

/** The charts over time; undefined where nothing was held in the period. */
function drawn(sheet: TearSheet): Drawn | undefined {
  const { series, performance } = sheet.performance
  const [first] = series
  const last = series.at(-1)
  if (first === undefined || last === undefined) return undefined
  return { sheet, series, fromDay: performance.startDay - 1, toDay: last.day }
}

/** Value and what was paid in, with the flows below. */
export function valueSection(sheet: TearSheet): Markup {
  const facts = drawn(sheet)
  const { reportingCurrency: currency } = sheet.performance
  return html`<section aria-labelledby="value">
    <h2 id="value">Value and flows</h2>
    <p class="legend">
      <span class="key own">Value</span><span class="key paid">Net amount paid in</span>
      <span class="unit">${currency}</span>
    </p>
    ${facts === undefined ? nothing() : valueCharts(facts)}
  </section>`
}

function valueCharts(facts: Drawn): Content {
  const { sheet, series, fromDay, toDay } = facts
  const { performance, reportingCurrency: currency } = sheet.performance
  const { startValue } = performance
  const start: readonly DayValue[] = startValue > 0 ? [{ day: fromDay, value: startValue }] : []
  let paid = startValue
  const paidIn = series.map(({ day, netFlow }): DayValue => {
    paid += netFlow
    return { day, value: known(paid) }
  })
  const values = series.map(({ day, value }): DayValue => ({ day, value: known(value) }))
  const { interval, bars } = flowBars(series)
  const label = (value: number): string => compact(value)
  const shown = { fromDay, toDay, label }
  const end = money(performance.endValue, currency).text
  return [
    timeChart({
      ...shown,
      id: 'value-chart',
      title: 'Value of the portfolio and net amount paid in',
      description: `At the end: value ${end}, net amount paid in ${money(paid, currency).text}, ${currency}.`,
      height: 220,
      tickCount: 5,
      marks: [
        { kind: 'area', style: 'own', points: [...start, ...values] },
        { kind: 'line', style: 'paid', points: [...start, ...paidIn] },
      ],
    }),
    html`<h3>Net flows by ${interval.toLowerCase()}</h3>`,
    timeChart({
      ...shown,
      id: 'flow-chart',
      title: `Net flows by ${interval.toLowerCase()}`,
      description: `In all ${money(performance.inflows, currency).text} in and ${money(performance.outflows, currency).text} out, ${currency}.`,
      height: 72,
      tickCount: 3,
      marks: [{ kind: 'bars', bars }],
    }),
  ]
}

function flowBars(series: readonly SeriesPoint[]): {
  readonly interval: Interval
  readonly bars: readonly Bar[]
} {
  const intervals = ['DAY', 'MONTH', 'QUARTER'] as const
  for (const interval of intervals) {
    const bars = barsOf(series, interval)
    if (bars.length <= BARS_MAX) return { interval, bars }
  }
  return { interval: 'YEAR', bars: barsOf(series, 'YEAR') }
}

function barsOf(series: readonly SeriesPoint[], interval: Interval): readonly Bar[] {
  const bars = new Map<number, Bar>()
  for (const { day, netFlow } of series) {
    const number = intervalNumber(day, interval)
    const { fromDay, value } = bars.get(number) ?? { fromDay: day, value: 0 }
    bars.set(number, { fromDay, toDay: day, value: value + netFlow })
  }
  return [...bars.values()].filter(({ value }) => Number.isFinite(value))
}

/** Growth of money that stayed in, against the benchmark's. */
export function returnSection(sheet: TearSheet): Markup {
  const facts = drawn(sheet)
  const { benchmark } = sheet
  return html`<section aria-labelledby="return">
    <h2 id="return">Cumulative return</h2>
    <p class="legend">
      <span class="key own">Portfolio, time-weighted</span>
      ${
        benchmark === undefined
          ? html`<span>No benchmark was given.</span>`
          : html`<span class="key index">${benchmark.benchmarkId}, price only</span>`
      }
    </p>
    ${unknownReturns(sheet)}
    ${facts === undefined ? nothing() : lineChart(facts, 'cumulativeReturn')}
  </section>`
}

export function drawdownSection(sheet: TearSheet): Markup {
  const facts = drawn(sheet)
  const { benchmark } = sheet
  return html`<section aria-labelledby="drawdown">
    <h2 id="drawdown">Drawdown</h2>
    <p class="legend">
      <span class="key loss">Portfolio</span>
      ${
        benchmark === undefined
          ? undefined
          : html`<span class="key index">${benchmark.benchmarkId}</span>`
      }
      <span class="unit">Distance from the highest growth so far</span>
    </p>
    ${facts === undefined ? nothing() : lineChart(facts, 'drawdown')}
  </section>`
}

function lineChart(
  { sheet, series, fromDay, toDay }: Drawn,
  field: 'cumulativeReturn' | 'drawdown',
): Markup {
  const isReturn = field === 'cumulativeReturn'
  const origin: DayValue = { day: fromDay, value: 0 }
  const pointsOf = (points: readonly SeriesPoint[]): readonly DayValue[] => [
    origin,
    ...points.map((point) => ({ day: point.day, value: point[field] })),
  ]
  const index = sheet.benchmark?.series ?? []
  const own = isReturn
    ? ({ kind: 'line', style: 'own' } as const)
    : ({ kind: 'area', style: 'loss' } as const)
  return timeChart({
    id: isReturn ? 'return-chart' : 'drawdown-chart',
    title: isReturn ? 'Cumulative time-weighted return' : 'Drawdown',
    description: `At the end: portfolio ${percent(series.at(-1)?.[field]).text}${
      index.length === 0 ? '' : `, benchmark ${percent(index.at(-1)?.[field]).text}`
    }.`,
    fromDay,
    toDay,
    height: isReturn ? 240 : 140,
    tickCount: isReturn ? 5 : 4,
    marks: [
      ...(index.length === 0
        ? []
        : [{ kind: 'line', style: 'index', points: pointsOf(index) } as const]),
      { ...own, points: pointsOf(series) },
    ],
    label: percentTick,
  })
}

/** With as many decimals as the distance of the ticks needs. */
function percentTick(value: number, ticks: readonly number[]): string {
  const step = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0)) * 100
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9))
  return `${(value * 100).toFixed(digits).replace('-', '−')}%`
}

function unknownReturns({ performance: { performance } }: TearSheet): Content {
  const { status } = performance.timeWeighted
  if (status === 'OK') return undefined
  return html`<p class="note">The return cannot be told to the end: ${statusWords(status)}.</p>`
}

function nothing(): Markup {
  return html`<p class="note">Nothing was held or moved in this period.</p>`
}

function known(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}
