import type { ValuationSeries } from './valuation-series.ts'

/** Series under construction. */
export class Rows {
  readonly values: Float64Array
  readonly inflows: Float64Array
  readonly outflows: Float64Array
  readonly observed: Uint8Array

  constructor(size: number) {
    this.values = new Float64Array(size)
    this.inflows = new Float64Array(size)
    this.outflows = new Float64Array(size)
    this.observed = new Uint8Array(size)
  }

  flow(row: number, amount: number): void {
    if (amount > 0) this.inflows[row] = (this.inflows[row] ?? 0) + amount
    else if (amount < 0) this.outflows[row] = (this.outflows[row] ?? 0) - amount
    else if (Number.isNaN(amount)) this.inflows[row] = NaN
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
