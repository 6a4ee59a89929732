import type { TearSheet } from '../../app/analytics/tear-sheet.ts'
import { type EpochDay, type Interval, intervalNumber } from '../../domain/analytics/epoch-day.ts'
import type { SeriesPoint } from '../../domain/analytics/resample.ts'
import { compact, money, percent, statusWords } from './format.ts'
import { type Content, html, type Markup } from './html.ts'
import { type Bar, type DayValue, type Mark, timeChart } from './time-chart.ts'

/** More bars than this are hard to tell apart. */
const BARS_MAX = 60

/** What the charts of a sheet have in common. */
interface Drawn {
  readonly sheet: TearSheet
  readonly series: readonly SeriesPoint[]
  readonly fromDay: EpochDay
  readonly toDay: EpochDay
}

/** True when something was held or moved in the period. */
export function isAnythingThere({ performance: { series } }: TearSheet): boolean {
  return series.some(({ value, netFlow }) => value !== 0 || netFlow !== 0)
}

/** What the charts draw; undefined where nothing was held or moved. */
function drawn(sheet: TearSheet): Drawn | undefined {
  const { series, performance } = sheet.performance
  const [first] = series
  const last = series.at(-1)
  if (first === undefined || last === undefined) return undefined
  if (!isAnythingThere(sheet)) return undefined
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
  const start: DayValue = { day: fromDay, value: known(startValue) }
  let paid = startValue
  const paidIn = series.map(({ day, netFlow }): DayValue => {
    paid += netFlow
    return { day, value: known(paid) }
  })
  const values = series.map(({ day, value }): DayValue => ({ day, value: known(value) }))
  const { interval, bars } = flowBars(series)
  const shown = { fromDay, toDay, label: compact }
  const end = money(performance.endValue, currency).text
  const own = { style: 'own', course: 'steps', points: [start, ...values] } as const
  const chart = timeChart({
    ...shown,
    id: 'value-chart',
    title: 'Value of the portfolio and net amount paid in',
    description: `At the end: value ${end}, net amount paid in ${money(paid, currency).text}, ${currency}.`,
    height: 220,
    tickCount: 5,
    span: 1,
    marks: [
      { ...own, kind: 'area' },
      { ...own, kind: 'line' },
      { ...own, kind: 'line', style: 'paid', points: [start, ...paidIn] },
    ],
  })
  const isKnown = values.some(({ value }) => value !== undefined)
  return [
    isKnown
      ? chart
      : html`<p class="note">No value is known: ${statusWords('MISSING_VALUATION')}.</p>`,
    html`<h3>Net flows by ${interval.toLowerCase()}</h3>`,
    timeChart({
      ...shown,
      id: 'flow-chart',
      title: `Net flows by ${interval.toLowerCase()}`,
      description: `In all ${money(performance.inflows, currency).text} in and ${money(performance.outflows, currency).text} out, ${currency}.`,
      height: 72,
      tickCount: 3,
      span: 1,
      marks: [{ kind: 'bars', bars }],
    }),
  ]
}

/** By the shortest interval of which there are not too many. */
function flowBars(series: readonly SeriesPoint[]): {
  readonly interval: Interval
  readonly bars: readonly Bar[]
} {
  const [first, last] = [series[0]?.day ?? 0, series.at(-1)?.day ?? 0]
  const intervals = ['DAY', 'MONTH', 'QUARTER'] as const
  const interval =
    intervals.find((each) => intervalNumber(last, each) - intervalNumber(first, each) < BARS_MAX) ??
    'YEAR'
  return { interval, bars: barsOf(series, interval) }
}

function barsOf(series: readonly SeriesPoint[], interval: Interval): readonly Bar[] {
  const bars = new Map<number, Bar>()
  for (const { day, netFlow } of series) {
    const number = intervalNumber(day, interval)
    const { fromDay, value } = bars.get(number) ?? { fromDay: day, value: 0 }
    bars.set(number, { fromDay, toDay: day, value: value + netFlow })
  }
  return [...bars.values()].filter(({ value }) => Number.isFinite(value) && value !== 0)
}

/** Growth of money that stayed in, against the benchmark's. */
export function returnSection(sheet: TearSheet): Markup {
  const { benchmark } = sheet
  return html`<section aria-labelledby="return">
    <h2 id="return">Cumulative return</h2>
    <p class="legend">
      <span class="key own">Portfolio, time-weighted</span>
      ${
        benchmark === undefined
          ? html`<span>No benchmark was given.</span>`
          : html`<span class="key index"
              >${benchmark.benchmarkId},
              ${benchmark.isTotalReturn ? 'with dividends' : 'price only'}</span
            >`
      }
    </p>
    ${growthChart(sheet, 'cumulativeReturn')}
  </section>`
}

export function drawdownSection(sheet: TearSheet): Markup {
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
    ${growthChart(sheet, 'drawdown')}
  </section>`
}

/** As far as the return is known, and why it is not from there on. */
function growthChart(sheet: TearSheet, field: GrowthField): Content {
  const { series, performance } = sheet.performance
  const { status } = performance.timeWeighted
  const facts = drawn(sheet)
  if (facts === undefined) return nothing()
  const isKnown = series.some((point) => point[field] !== undefined)
  if (status === 'OK' && isKnown) return lineChart(facts, field)
  const reason = statusWords(status === 'OK' ? 'TOO_SHORT' : status)
  if (!isKnown) return html`<p class="note">There is no return to show: ${reason}.</p>`
  return [
    html`<p class="note">The return is not known to the end: ${reason}.</p>`,
    lineChart(facts, field),
  ]
}

type GrowthField = 'cumulativeReturn' | 'drawdown'

const GROWTH_CHARTS = {
  cumulativeReturn: {
    id: 'return-chart',
    title: 'Cumulative time-weighted return',
    style: 'own',
    height: 240,
    tickCount: 5,
    span: 0.01,
  },
  drawdown: {
    id: 'drawdown-chart',
    title: 'Drawdown',
    style: 'loss',
    height: 140,
    tickCount: 4,
    span: -0.01,
  },
} as const

function lineChart({ sheet, series, fromDay, toDay }: Drawn, field: GrowthField): Markup {
  const { style, ...shown } = GROWTH_CHARTS[field]
  const pointsOf = (points: readonly SeriesPoint[]): readonly DayValue[] => [
    { day: fromDay, value: 0 },
    ...points.map((point) => ({ day: point.day, value: point[field] })),
  ]
  const own = { style, course: 'straight', points: pointsOf(series) } as const
  const marks: Mark[] = field === 'drawdown' ? [{ ...own, kind: 'area' }] : []
  let description = `At the end: portfolio ${percent(series.at(-1)?.[field]).text}`
  if (sheet.benchmark !== undefined) {
    const index = sheet.benchmark.series
    marks.push({ kind: 'line', style: 'index', course: 'straight', points: pointsOf(index) })
    description += `, benchmark ${percent(index.at(-1)?.[field]).text}`
  }
  marks.push({ ...own, kind: 'line' })
  return timeChart({
    ...shown,
    description: `${description}.`,
    fromDay,
    toDay,
    marks,
    label: percentTick,
  })
}

/** With as many decimals as the distance of the ticks needs. */
function percentTick(value: number, ticks: readonly number[]): string {
  const step = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0)) * 100
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9))
  return `${(value * 100).toFixed(digits).replace('-', '−')}%`
}

function nothing(): Markup {
  return html`<p class="note">Nothing was held or moved in this period.</p>`
}

function known(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}
