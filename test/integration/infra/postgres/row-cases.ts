export type Row = Readonly<Record<string, string | number | boolean | null>>

export const MOMENT = '2024-01-02T03:04:05Z'
export const NOT_FINITE = ['NaN', 'Infinity', '-Infinity']

/** A case for each value of one column. */
export const each = (column: string, values: Row[string][]): Row[] =>
  values.map((value) => ({ [column]: value }))
