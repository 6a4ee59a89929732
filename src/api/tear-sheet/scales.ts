import { scaleLinear, scaleUtc } from 'd3-scale'
import { area, curveLinear, curveStepAfter, line } from 'd3-shape'
import type { EpochDay } from '../../domain/analytics/epoch-day.ts'

const MILLISECONDS_PER_DAY = 86_400_000

/** A point in a chart's own units; undefined = a gap. */
export type Place = readonly [x: number, y: number | undefined]

export interface TimeScale {
  /** From 0, the first day, to 1, the last one. */
  readonly share: (day: EpochDay) => number
  /** Days that are round: firsts of years or months, ... */
  readonly ticks: readonly EpochDay[]
}

export function timeScale(from: EpochDay, to: EpochDay, tickCount: number): TimeScale {
  const days = Math.max(to - from, 1)
  const domain = [from, from + days].map((day) => new Date(day * MILLISECONDS_PER_DAY))
  const ticks = scaleUtc()
    .domain(domain)
    .ticks(tickCount)
    .map((date) => date.getTime() / MILLISECONDS_PER_DAY)
  return {
    share: (day) => (day - from) / days,
    ticks: ticks.filter((day) => Number.isInteger(day)),
  }
}

export interface ValueScale {
  /** From 0 at the top to `height` at the bottom. */
  readonly y: (value: number) => number
  /** Round numbers, evenly apart. */
  readonly ticks: readonly number[]
}

/** A scale that holds all values and zero, from one round number to another; as far as `span` where all are zero. */
export function valueScale(
  values: readonly number[],
  {
    height,
    tickCount,
    span,
  }: { readonly height: number; readonly tickCount: number; readonly span: number },
): ValueScale {
  const low = values.reduce((least, value) => Math.min(least, value), 0)
  const high = values.reduce((most, value) => Math.max(most, value), 0)
  const least = low === high ? Math.min(0, span) : low
  const most = low === high ? Math.max(0, span) : high
  const scale = scaleLinear([least, most], [height, 0]).nice(tickCount)
  return { y: (value) => scale(value), ticks: scale.ticks(tickCount) }
}

/** What is between two places: a straight line, or the first place's height until the second. */
export type Course = 'straight' | 'steps'

const CURVES = { straight: curveLinear, steps: curveStepAfter } as const

/** The path of a line through places; it breaks at gaps, and a place alone is a dot where caps are round. */
export function linePath(places: readonly Place[], course: Course): string {
  return (
    line<Place>()
      .x(([x]) => x)
      .y(([, y]) => y ?? 0)
      .defined(([, y]) => y !== undefined)
      .curve(CURVES[course])
      .digits(1)(places) ?? ''
  )
}

/** The path of the area between places and a base. */
export function areaPath(places: readonly Place[], base: number, course: Course): string {
  return (
    area<Place>()
      .x(([x]) => x)
      .y0(base)
      .y1(([, y]) => y ?? base)
      .defined(([, y]) => y !== undefined)
      .curve(CURVES[course])
      .digits(1)(places) ?? ''
  )
}
