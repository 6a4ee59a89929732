import { DAYS_PER_YEAR, OBSERVATIONS_PER_YEAR, perYear } from './annualize.ts'
import { varies } from './moments.ts'
import { TAIL_PROBABILITY, tailCount } from './quantile.ts'
import { partitionAt } from './quickselect.ts'

/** What the kernel measures, in the order in which it writes them. */
export const MEASURES = [
  'cumulativeReturn',
  'annualizedReturn',
  'volatility',
  'sharpeRatio',
  'sortinoRatio',
  'calmarRatio',
  'maxDrawdown',
  'valueAtRisk95',
  'expectedShortfall95',
  'alpha',
  'beta',
] as const

/** Many series of returns, laid out so that several threads can read them in place. */
export interface SeriesBatch {
  /** Returns of all series, one after the other. */
  readonly returns: Float64Array
  /** Where each series starts in `returns`, and after the last one where it ends. */
  readonly offsets: Uint32Array
  /** Calendar days that each series covers, both ends counted. */
  readonly calendarDays: Uint32Array
  /** Where each series starts in `benchmark` and `riskFree`. */
  readonly benchmarkOffsets: Uint32Array
  readonly benchmark: Float64Array
  /** Risk-free rate of each observation. */
  readonly riskFree: Float64Array
}

/** Numbers kept between the passes over one series, and room for its returns. Each thread has its own. */
export interface KernelScratch {
  readonly returns: Float64Array
  readonly sums: Float64Array
}

const ROOT_OF_YEAR = Math.sqrt(OBSERVATIONS_PER_YEAR)

// Places in `sums`.
const GROWTH = 0
const DEPTH = 1
const MEAN = 2
const SHORTFALL = 3
const EXCESS_MEAN = 4
const BENCHMARK_MEAN = 5
const DEVIATION = 6
const EXCESS_DEVIATION = 7
const BENCHMARK_DEVIATION = 8
const COVARIANCE = 9

/** Scratch for series of at most so many observations. */
export function kernelScratch(observationsMax: number): KernelScratch {
  return { returns: new Float64Array(observationsMax), sums: new Float64Array(10) }
}

/**
 * Writes the measures of one series to `measures`, from `index` times their number on, by the definitions of
 * `annualized`, `volatility`, `sharpeRatio`, `sortinoRatio` (minimum acceptable return 0), `calmarRatio`,
 * `maxDrawdown`, `valueAtRisk95`, `expectedShortfall95` and `regression`; NaN where they have a status instead of a
 * number. Two passes and a selection, without allocation: the straightforward functions cost twenty times as much.
 */
export function measureSeries(
  batch: SeriesBatch,
  index: number,
  scratch: KernelScratch,
  measures: Float64Array,
): void {
  const { sums } = scratch
  const count = countOf(batch, index)
  const to = index * MEASURES.length
  measures.fill(NaN, to, to + MEASURES.length)
  if (count === 0) return
  addUp(batch, index, sums)
  writeReturns(sums, batch.calendarDays[index] ?? 0, measures, to)
  if (count === 1) return
  addUpDeviations(batch, index, sums)
  writeRatios(sums, measures, to)
  writeTail(batch, index, scratch, measures)
  writeRegression(sums, measures, to)
  for (let at = to; at < to + MEASURES.length; at += 1) {
    if (Math.abs(measures[at] ?? NaN) === Infinity) measures[at] = NaN
  }
}

function countOf({ offsets }: SeriesBatch, index: number): number {
  return (offsets[index + 1] ?? 0) - (offsets[index] ?? 0)
}

function addUp(batch: SeriesBatch, index: number, sums: Float64Array): void {
  const { returns, benchmark, riskFree } = batch
  const from = batch.offsets[index] ?? 0
  const benchmarkFrom = batch.benchmarkOffsets[index] ?? 0
  const count = countOf(batch, index)
  let growth = 1
  let peak = 1
  let depth = 0
  let lowest = 1
  let sum = 0
  let excess = 0
  let benchmarkExcess = 0
  let shortfall = 0
  for (let at = 0; at < count; at += 1) {
    const value = returns[from + at] ?? 0
    const rate = riskFree[benchmarkFrom + at] ?? 0
    growth *= 1 + value
    if (growth > peak) {
      peak = growth
      lowest = peak * (1 + depth)
    } else if (growth < lowest) {
      lowest = growth
      depth = growth / peak - 1
    }
    sum += value
    excess += value - rate
    benchmarkExcess += (benchmark[benchmarkFrom + at] ?? 0) - rate
    const short = Math.min(value, 0)
    shortfall += short * short
  }
  sums[GROWTH] = growth
  sums[DEPTH] = depth
  sums[MEAN] = sum / count
  sums[SHORTFALL] = Math.sqrt(shortfall / count)
  sums[EXCESS_MEAN] = excess / count
  sums[BENCHMARK_MEAN] = benchmarkExcess / count
}

function addUpDeviations(batch: SeriesBatch, index: number, sums: Float64Array): void {
  const { returns, benchmark, riskFree } = batch
  const from = batch.offsets[index] ?? 0
  const benchmarkFrom = batch.benchmarkOffsets[index] ?? 0
  const count = countOf(batch, index)
  const mean = sums[MEAN] ?? 0
  const excessMean = sums[EXCESS_MEAN] ?? 0
  const benchmarkMean = sums[BENCHMARK_MEAN] ?? 0
  let squares = 0
  let excessSquares = 0
  let benchmarkSquares = 0
  let products = 0
  for (let at = 0; at < count; at += 1) {
    const value = returns[from + at] ?? 0
    const rate = riskFree[benchmarkFrom + at] ?? 0
    const deviation = value - mean
    const excess = value - rate - excessMean
    const other = (benchmark[benchmarkFrom + at] ?? 0) - rate - benchmarkMean
    squares += deviation * deviation
    excessSquares += excess * excess
    benchmarkSquares += other * other
    products += excess * other
  }
  sums[DEVIATION] = deviationOf(squares, count, mean)
  sums[EXCESS_DEVIATION] = deviationOf(excessSquares, count, excessMean)
  sums[BENCHMARK_DEVIATION] = deviationOf(benchmarkSquares, count, benchmarkMean)
  sums[COVARIANCE] = products / (count - 1)
}

function deviationOf(squares: number, count: number, mean: number): number {
  const deviation = Math.sqrt(squares / (count - 1))
  return varies(deviation, mean) ? deviation : 0
}

function writeReturns(
  sums: Float64Array,
  calendarDays: number,
  measures: Float64Array,
  to: number,
): void {
  const [growth, depth] = [sums[GROWTH] ?? NaN, sums[DEPTH] ?? NaN]
  measures[to] = growth - 1
  measures[to + 6] = depth
  if (calendarDays < DAYS_PER_YEAR) return
  const yearly = growth ** (DAYS_PER_YEAR / calendarDays) - 1
  measures[to + 1] = yearly
  if (depth < 0) measures[to + 5] = yearly / -depth
}

function writeRatios(sums: Float64Array, measures: Float64Array, to: number): void {
  const [excessDeviation, shortfall] = [sums[EXCESS_DEVIATION] ?? 0, sums[SHORTFALL] ?? 0]
  measures[to + 2] = (sums[DEVIATION] ?? NaN) * ROOT_OF_YEAR
  if (excessDeviation > 0) {
    measures[to + 3] = ((sums[EXCESS_MEAN] ?? NaN) / excessDeviation) * ROOT_OF_YEAR
  }
  if (shortfall > 0) measures[to + 4] = ((sums[MEAN] ?? NaN) / shortfall) * ROOT_OF_YEAR
}

/**
 * Copies the returns that lie a deviation or more below the mean, or all where these are fewer than the tail and its
 * neighbour: selecting from a sixth of the returns is quicker than from all. Returns how many.
 */
function collectLow(batch: SeriesBatch, index: number, scratch: KernelScratch): number {
  const { returns } = batch
  const low = scratch.returns
  const from = batch.offsets[index] ?? 0
  const end = from + countOf(batch, index)
  const limit = (scratch.sums[MEAN] ?? 0) - (scratch.sums[DEVIATION] ?? 0)
  let collected = 0
  for (let at = from; at < end; at += 1) {
    const value = returns[at] ?? 0
    if (value <= limit) {
      low[collected] = value
      collected += 1
    }
  }
  if (collected > tailCount(end - from)) return collected
  for (let at = from; at < end; at += 1) low[at - from] = returns[at] ?? 0
  return end - from
}

function writeTail(
  batch: SeriesBatch,
  index: number,
  scratch: KernelScratch,
  measures: Float64Array,
): void {
  const low = scratch.returns
  const position = (countOf(batch, index) - 1) * TAIL_PROBABILITY
  const last = Math.floor(position)
  const collected = collectLow(batch, index, scratch)
  partitionAt(low, last, collected)
  let sum = 0
  for (let at = 0; at <= last; at += 1) sum += low[at] ?? 0
  let next = Infinity
  for (let at = last + 1; at < collected; at += 1) next = Math.min(next, low[at] ?? Infinity)
  const worst = low[last] ?? NaN
  const to = index * MEASURES.length
  measures[to + 7] = worst + (position - last) * (next - worst)
  measures[to + 8] = sum / (last + 1)
}

function writeRegression(sums: Float64Array, measures: Float64Array, to: number): void {
  const deviation = sums[BENCHMARK_DEVIATION] ?? 0
  if (deviation === 0) return
  const beta = (sums[COVARIANCE] ?? NaN) / (deviation * deviation)
  const intercept = (sums[EXCESS_MEAN] ?? NaN) - beta * (sums[BENCHMARK_MEAN] ?? NaN)
  measures[to + 9] = perYear(intercept)
  measures[to + 10] = beta
}
