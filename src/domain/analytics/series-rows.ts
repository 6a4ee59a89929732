import type { ValuationSeries } from './valuation-series.ts'

/** Series under construction. */
export class Rows {
  readonly values: Float64Array
  readonly inflows: Float64Array
  readonly outflows: Float64Array
  readonly observed: Uint8Array
  /** 1 where there is to be a row. */
  readonly wanted: Uint8Array

  constructor(size: number) {
    this.values = new Float64Array(size)
    this.inflows = new Float64Array(size)
    this.outflows = new Float64Array(size)
    this.observed = new Uint8Array(size)
    this.wanted = new Uint8Array(size)
  }

  flow(row: number, amount: number): void {
    if (amount > 0) this.inflows[row] = (this.inflows[row] ?? 0) + amount
    else if (amount < 0) this.outflows[row] = (this.outflows[row] ?? 0) - amount
    else if (Number.isNaN(amount)) this.inflows[row] = NaN
  }

  /** Takes back what days without a row left there. */
  clear(from: number, end: number): void {
    this.values.fill(0, from, end)
    this.observed.fill(0, from, end)
    this.wanted.fill(0, from, end)
  }

  /** Puts a value in another row; flows stand where they are. */
  shift(from: number, to: number): void {
    if (from === to) return
    this.values[to] = this.values[from] ?? 0
    this.observed[to] = this.observed[from] ?? 0
  }

  add(row: number, value: number): void {
    this.values[row] = (this.values[row] ?? 0) + value
  }

  series(days: Int32Array, count: number): ValuationSeries {
    return {
      days: days.subarray(0, count),
      values: this.values.subarray(0, count),
      inflows: this.inflows.subarray(0, count),
      outflows: this.outflows.subarray(0, count),
      observed: this.observed.subarray(0, count),
    }
  }
}

/** The rows of a group; undefined for -1. A negative place of an array is looked up as a name, many times slower. */
export function rowsOfGroup(groups: readonly Rows[], group: number): Rows | undefined {
  return group < 0 ? undefined : groups[group]
}
