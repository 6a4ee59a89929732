import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { brinsonAttribution, type ClassOfBoth } from '../../../../src/domain/analytics/brinson.ts'
import { contributions, exactParts } from '../../../../src/domain/analytics/contribution.ts'
import { timeWeightedReturn } from '../../../../src/domain/analytics/time-weighted.ts'
import type { PeriodValuations } from '../../../../src/domain/analytics/valuation-series.ts'
import { sum } from '../../../../src/domain/decimal.ts'
import { dayAfter, period, type Row } from './periods.ts'

const PARTS = 3
const ROWS = 6

interface PartRow {
  readonly growth: number
  readonly inflow: number
  readonly outflow: number
}

const partRow = fc.record({
  growth: fc.double({ min: 0.5, max: 1.6, noNaN: true }),
  inflow: fc.constantFrom(0, 0, 0, 50, 120),
  outflow: fc.constantFrom(0, 0, 0, 0.5, 1),
})
const histories = fc.array(fc.array(partRow, { minLength: ROWS, maxLength: ROWS }), {
  minLength: PARTS,
  maxLength: PARTS,
})

const asked = (rows: readonly Row[]): PeriodValuations =>
  period(rows, dayAfter(1), dayAfter(rows.length - 1))

function rowsOf(history: readonly PartRow[], at: number): Row[] {
  let value = 100 * (at + 1)
  const rows: Row[] = [{ day: dayAfter(0), value }]
  for (const [row, { growth, inflow, outflow }] of history.entries()) {
    const grown = (value + inflow) * growth
    value = grown * (1 - outflow)
    rows.push({ day: dayAfter(row + 1), value, inflow, outflow: grown * outflow })
  }
  return rows
}

/** The whole of parts whose money comes from outside. */
function wholeOf(parts: readonly Row[][]): Row[] {
  const total = (row: number, field: 'value' | 'inflow' | 'outflow'): number =>
    parts.reduce((amount, part) => amount + (part[row]?.[field] ?? 0), 0)
  return Array.from({ length: ROWS + 1 }, (_, row) => ({
    day: dayAfter(row),
    value: total(row, 'value'),
    inflow: total(row, 'inflow'),
    outflow: total(row, 'outflow'),
  }))
}

describe('contributions', () => {
  it('are as by hand', () => {
    const first = [100, 120, 120].map((value, at) => ({ day: dayAfter(at), value }))
    const second = [100, 100, 150].map((value, at) => ({ day: dayAfter(at), value }))
    const whole = [200, 220, 270].map((value, at) => ({ day: dayAfter(at), value }))
    const { parts } = contributions(asked(whole), [asked(first), asked(second)])
    expect([...parts]).toEqual([expect.closeTo(0.1, 14), expect.closeTo(0.25, 14)])
  })

  it('take trades between the parts for no flow of the whole', () => {
    const cash = [
      { day: dayAfter(0), value: 100 },
      { day: dayAfter(1), value: 0, outflow: 100 },
      { day: dayAfter(2), value: 0 },
    ]
    const share = [
      { day: dayAfter(0), value: 0 },
      { day: dayAfter(1), value: 110, inflow: 100 },
      { day: dayAfter(2), value: 121 },
    ]
    const whole = [100, 110, 121].map((value, at) => ({ day: dayAfter(at), value }))
    const opened = { ...asked(share), startValue: 0 }
    const { parts } = contributions(asked(whole), [asked(cash), opened])
    expect([...parts]).toEqual([expect.closeTo(0, 14), expect.closeTo(0.21, 14)])
  })

  it('add up to the return of the whole', () => {
    fc.assert(
      fc.property(histories, (drawn) => {
        const parts = drawn.map(rowsOf)
        const whole = asked(wholeOf(parts))
        const linked = contributions(whole, parts.map(asked))
        const measured = timeWeightedReturn(whole)
        expect(linked.status).toBe(measured.status)
        if (measured.status !== 'OK') return
        const total = linked.parts.reduce((left, right) => left + right, 0)
        expect(Math.abs(total - measured.cumulative)).toBeLessThan(1e-11)
        const exact = exactParts(linked.parts, measured.cumulative)
        expect(sum(exact).toNumber()).toBe(measured.cumulative)
      }),
    )
  })

  it('add up through a total loss', () => {
    const first = [100, 150, 0].map((value, at) => ({ day: dayAfter(at), value }))
    const second = [100, 50, 0].map((value, at) => ({ day: dayAfter(at), value }))
    const whole = [200, 200, 0].map((value, at) => ({ day: dayAfter(at), value }))
    const { status, parts } = contributions(asked(whole), [asked(first), asked(second)])
    expect(status).toBe('OK')
    expect([...parts]).toEqual([-0.5, -0.5])
  })

  it('pass over a row that the whole passes over', () => {
    const whole = [100, NaN, 110].map((value, at) => ({ day: dayAfter(at), value }))
    const { status, parts } = contributions(asked(whole), [asked(whole)])
    expect(status).toBe('OK')
    expect([...parts]).toEqual([expect.closeTo(0.1, 14)])
  })

  it('say so when a part has no value', () => {
    const part = [100, NaN].map((value, at) => ({ day: dayAfter(at), value }))
    const whole = [100, 110].map((value, at) => ({ day: dayAfter(at), value }))
    expect(contributions(asked(whole), [asked(part)]).status).toBe('MISSING_VALUATION')
    expect(contributions(asked(part), [asked(part)]).status).toBe('MISSING_VALUATION')
  })
})

describe('exactParts', () => {
  it('leaves what rounding lost to the largest part', () => {
    const parts = exactParts(Float64Array.of(0.1, 0.2, -0.7), -0.4)
    expect(parts.map(String)).toEqual(['0.1', '0.2', '-0.7'])
    expect(exactParts(Float64Array.of(0.1, 0.2), 0.1 + 0.2).map(String)).toEqual([
      '0.1',
      '0.20000000000000004',
    ])
    expect(exactParts(Float64Array.of(), 0)).toEqual([])
  })
})

const both = (
  rows: readonly Row[],
  benchmarkWeights: number[],
  benchmarkReturns: number[],
): ClassOfBoth => ({
  portfolio: asked(rows),
  benchmarkWeights: Float64Array.from(benchmarkWeights),
  benchmarkReturns: Float64Array.from(benchmarkReturns),
})

const flat = (...values: number[]): Row[] =>
  values.map((value, at) => ({ day: dayAfter(at), value }))

describe('brinsonAttribution', () => {
  it('is as by hand for one row', () => {
    // 70 % shares returning 10 %, 30 % bonds returning 2 %; benchmark 60/40 with 8 % and 3 %: 6 %.
    const { classes, excessReturn } = brinsonAttribution(asked(flat(100, 107.6)), [
      both(flat(70, 77), [0.6], [0.08]),
      both(flat(30, 30.6), [0.4], [0.03]),
    ])
    expect(excessReturn).toBeCloseTo(0.076 - 0.06, 14)
    expect(classes).toEqual([
      {
        allocation: expect.closeTo(0.1 * 0.02, 14),
        selection: expect.closeTo(0.6 * 0.02, 14),
        interaction: expect.closeTo(0.1 * 0.02, 14),
      },
      {
        allocation: expect.closeTo(-0.1 * -0.03, 14),
        selection: expect.closeTo(0.4 * -0.01, 14),
        interaction: expect.closeTo(-0.1 * -0.01, 14),
      },
    ])
  })

  it('has no selection in a class that one side lacks', () => {
    const { classes } = brinsonAttribution(asked(flat(100, 110)), [
      both(flat(100, 110), [0], [NaN]),
      both(flat(0, 0), [1], [0.05]),
    ])
    expect(classes).toMatchObject([{ selection: 0 }, { selection: 0, interaction: 0 }])
    expect(classes[0]?.interaction).toBeCloseTo(0.05, 14)
  })

  it('adds up to the excess over the benchmark over any number of rows', () => {
    const returnsOf = fc.array(fc.double({ min: -0.3, max: 0.4, noNaN: true }), {
      minLength: ROWS,
      maxLength: ROWS,
    })
    const benchmark = fc.tuple(returnsOf, returnsOf, returnsOf)
    fc.assert(
      fc.property(histories, benchmark, (drawn, returns) => {
        const parts = drawn.map(rowsOf)
        const whole = asked(wholeOf(parts))
        const weights = [0.5, 0, 0.5]
        const attribution = brinsonAttribution(
          whole,
          parts.map((rows, at) =>
            both(rows, Array<number>(ROWS).fill(weights[at] ?? 0), returns[at] ?? []),
          ),
        )
        fc.pre(attribution.status !== 'NO_CAPITAL')
        const measured = timeWeightedReturn(whole)
        if (measured.status !== 'OK') throw new Error(measured.status)
        const growth = returns[0].reduce(
          (linked, value, row) => linked * (1 + 0.5 * value + 0.5 * (returns[2][row] ?? NaN)),
          1,
        )
        expect(attribution.excessReturn).toBeCloseTo(measured.cumulative + 1 - growth, 11)
        const total = attribution.classes.reduce(
          (sumOf, effects) => sumOf + effects.allocation + effects.selection + effects.interaction,
          0,
        )
        expect(Math.abs(total - attribution.excessReturn)).toBeLessThan(1e-11)
      }),
    )
  })

  it('has a status where nothing was at work or a price is missing', () => {
    const [first, second, third] = flat(100, 0, 0)
    const idle = [first!, { ...second!, outflow: 100 }, third!]
    expect(brinsonAttribution(asked(idle), [both(idle, [1, 1], [0, 0])]).status).toBe('NO_CAPITAL')
    const whole = flat(100, 110)
    expect(brinsonAttribution(asked(whole), [both(whole, [1], [NaN])]).status).toBe(
      'MISSING_VALUATION',
    )
  })
})
