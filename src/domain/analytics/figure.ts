/** Why there is no number. The first five are those of the contract's `ReturnFigure.Status`. */
export type NoFigure =
  | 'NO_CAPITAL'
  | 'NO_SOLUTION'
  | 'MULTIPLE_SOLUTIONS'
  | 'MISSING_VALUATION'
  | 'TOO_SHORT'
  | 'NO_VARIANCE'
  | 'NO_DOWNSIDE'
  | 'NO_DRAWDOWN'
  | 'SHORT_BENCHMARK'

/** A number, or the reason there is none: never a zero that means "unknown". */
export type Figure =
  | { readonly status: 'OK'; readonly value: number }
  | { readonly status: NoFigure; readonly value?: undefined }

/** A return of a whole period as a fraction (0.1 is 10 %), or the reason there is none. */
export type ReturnFigure =
  | {
      readonly status: 'OK'
      readonly cumulative: number
      /** Per year; absent for a period under a year. */
      readonly annualized: number | undefined
    }
  | {
      readonly status: NoFigure
      /** Annual rates, ascending: all that solve it, when it is MULTIPLE_SOLUTIONS. */
      readonly roots?: readonly number[]
    }

/** A figure that is a number; what overflowed or has no meaning is no number. */
export function figure(value: number, otherwise: NoFigure): Figure {
  return Number.isFinite(value) ? { status: 'OK', value } : { status: otherwise }
}
