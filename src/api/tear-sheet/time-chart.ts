import { type EpochDay, intervalNumber } from '../../domain/analytics/epoch-day.ts'
import { tickDate } from './format.ts'
import { type Content, html, type Markup } from './html.ts'
import {
  areaPath,
  type Course,
  linePath,
  type Place,
  timeScale,
  valueScale,
  type ValueScale,
} from './scales.ts'
import { thinned } from './thin.ts'

/** The plot's own units: it is stretched to the page's width, its lines are not. */
const WIDTH = 1_000
/** A column is two or three pixels of a wide page. */
const COLUMNS = 400
const DATES_HEIGHT = 24
const TOP = 8
const TICKS = 8
/** Nearer to an end of the axis than this share a date starts or ends there. */
const END_SHARE = 0.04

/** A value on a day; undefined = it is not known. */
export interface DayValue {
  readonly day: EpochDay
  readonly value: number | undefined
}

/** The name of a style, which says what a mark stands for. */
type Style = 'own' | 'index' | 'paid' | 'loss'

export type Mark =
  | {
      readonly kind: 'line' | 'area'
      readonly style: Style
      readonly course: Course
      readonly points: readonly DayValue[]
    }
  | { readonly kind: 'bars'; readonly bars: readonly Bar[] }

/** From the first to the last day, both inclusive; a day is drawn up to its close. */
export interface Bar {
  readonly fromDay: EpochDay
  readonly toDay: EpochDay
  readonly value: number
}

export interface TimeChart {
  /** Unlike any other's on the page. */
  readonly id: string
  readonly title: string
  /** What it shows, in a sentence, for who does not see it. */
  readonly description: string
  readonly fromDay: EpochDay
  readonly toDay: EpochDay
  /** Pixels of the plot. */
  readonly height: number
  readonly tickCount: number
  /** What the axis reaches from zero where every value is zero. */
  readonly span: number
  readonly marks: readonly Mark[]
  readonly label: (value: number, ticks: readonly number[]) => string
}

/** A chart over time: dates below, values on the right. */
export function timeChart(chart: TimeChart): Markup {
  const { id, height } = chart
  const scale = valueScale(valuesOf(chart.marks), chart)
  const total = TOP + height + DATES_HEIGHT
  return html`<div class="chart">
    <svg
      class="plot"
      role="img"
      aria-labelledby="${id}-title ${id}-text"
      width="100%"
      height="${total}"
    >
      <title id="${id}-title">${chart.title}</title>
      <desc id="${id}-text">${chart.description}</desc>
      ${scale.ticks.map((tick) => gridLine(tick, scale))}
      <svg
        y="${TOP}"
        width="100%"
        height="${height}"
        viewBox="0 0 ${WIDTH} ${height}"
        preserveAspectRatio="none"
      >
        ${marksOf(chart, scale)}
      </svg>
      ${dates(chart)}
    </svg>
    <svg class="values" aria-hidden="true" width="64" height="${total}">
      ${scale.ticks.map((tick) => valueLabel(tick, chart, scale))}
    </svg>
  </div>`
}

/** In loops: there are thousands of them, and others wait for the thread. */
function valuesOf(marks: readonly Mark[]): readonly number[] {
  const values: number[] = []
  for (const mark of marks) {
    for (const { value } of mark.kind === 'bars' ? mark.bars : mark.points) {
      if (value !== undefined) values.push(value)
    }
  }
  return values
}

function gridLine(tick: number, scale: ValueScale): Markup {
  const y = Math.round(TOP + scale.y(tick)) + 0.5
  const style = tick === 0 ? 'zero' : 'grid'
  return html`<line class="${style}" x1="0" x2="100%" y1="${y}" y2="${y}" />`
}

function valueLabel(tick: number, { label }: TimeChart, scale: ValueScale): Markup {
  const y = Math.round(TOP + scale.y(tick))
  return html`<text x="100%" y="${y}" dy="0.32em">${label(tick, scale.ticks)}</text>`
}

function marksOf({ marks, fromDay, toDay }: TimeChart, scale: ValueScale): Content {
  const { share } = timeScale(fromDay, toDay, TICKS)
  // A line and the area below it have the same places.
  const placed = new Map<readonly DayValue[], readonly Place[]>()
  return marks.map((mark) => {
    if (mark.kind === 'bars') return mark.bars.map((bar) => barOf(bar, share, scale))
    const { kind, style, course, points } = mark
    const places = placed.get(points) ?? placesOf(points, share, scale)
    placed.set(points, places)
    const path = kind === 'line' ? linePath(places, course) : areaPath(places, scale.y(0), course)
    return html`<path class="${kind} ${style}" d="${path}" />`
  })
}

function placesOf(
  points: readonly DayValue[],
  share: (day: EpochDay) => number,
  scale: ValueScale,
): readonly Place[] {
  const places = points.map(({ day, value }): Place => {
    return [share(day) * WIDTH, value === undefined ? undefined : scale.y(value)]
  })
  return thinned(places, WIDTH, COLUMNS)
}

/** A bar fills most of its days. */
const BAR_SHARE = 0.8

function barOf(
  { fromDay, toDay, value }: Bar,
  share: (day: EpochDay) => number,
  { y }: ValueScale,
): Markup {
  const [left, right] = [share(fromDay - 1), share(toDay)].map((at) => clamp(at) * WIDTH)
  const width = ((right ?? 0) - (left ?? 0)) * BAR_SHARE
  const top = Math.min(y(value), y(0))
  const height = Math.abs(y(value) - y(0))
  const x = (left ?? 0) + (width * (1 - BAR_SHARE)) / 2
  return html`<rect
    class="${value < 0 ? 'out' : 'in'}"
    x="${tenth(x)}"
    y="${tenth(top)}"
    width="${tenth(width)}"
    height="${tenth(height)}"
  />`
}

function clamp(share: number): number {
  return Math.max(0, Math.min(1, share))
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10
}

function dates({ fromDay, toDay, height }: TimeChart): Content {
  const { share, ticks } = timeScale(fromDay, toDay, TICKS)
  const shown = ticks.length > 0 ? ticks : [toDay]
  const unit = unitOf(shown)
  return shown.map((day, at) => {
    const place = share(day)
    // On a narrow page there is room for every other one.
    const style = at % 2 === 0 ? 'date' : 'date minor'
    const anchor = place > 1 - END_SHARE ? 'end' : place < END_SHARE ? 'start' : 'middle'
    const x = tenth(clamp(place) * 100)
    return html`<text
      class="${style}"
      x="${x}%"
      y="${TOP + height + DATES_HEIGHT - 6}"
      text-anchor="${anchor}"
      >${tickDate(day, unit)}</text
    >`
  })
}

function unitOf(days: readonly EpochDay[]): 'DAY' | 'MONTH' | 'YEAR' {
  for (const unit of ['YEAR', 'MONTH'] as const) {
    const isFirst = (day: EpochDay): boolean =>
      intervalNumber(day - 1, unit) !== intervalNumber(day, unit)
    if (days.every(isFirst)) return unit
  }
  return 'DAY'
}
