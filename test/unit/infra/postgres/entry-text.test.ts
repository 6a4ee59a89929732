import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { entriesOfText } from '../../../../src/infra/postgres/entry-text.ts'

const DAY = 86_400_000_000

/** As ENTRY_TEXT writes it. */
function line(sequence: number, day: number, facts: { type?: string; reverses?: number } = {}) {
  const { type = 'BUY', reverses } = facts
  const fields = [sequence, day * DAY, type, 'ACME', '1.5', '20.25', '']
  return [...fields, ...(reverses === undefined ? [] : [reverses])].join('\t')
}

const read = (lines: readonly string[]) => entriesOfText(lines.join('\n'), 'UTC')
const daysOf = (lines: readonly string[]) => read(lines).map(({ day }) => day)
const typesOf = (lines: readonly string[]) => read(lines).map(({ type }) => type)
const trackingOf = (lines: readonly string[]) => read(lines).map(({ isTracked }) => isTracked)

describe('entriesOfText', () => {
  it('reads every field of an entry', () => {
    const terms = { fee: '1', currency: 'EUR' }
    const text = `${line(1, 3).slice(0, -1)}\t${JSON.stringify(terms)}`
    expect(entriesOfText(text, 'UTC')).toEqual([
      {
        day: 3,
        at: 3 * DAY,
        type: 'BUY',
        instrumentId: 'ACME',
        quantity: 1.5,
        price: 20.25,
        isTracked: false,
        terms,
      },
    ])
    expect(entriesOfText('', 'UTC')).toEqual([])
  })

  it('has them in order of time, then of recording, whatever the order of lines', () => {
    const lines = [line(10, 1), line(2, 2), line(9, 2), line(1, 3)]
    const written = read(lines)
    fc.assert(
      fc.property(fc.shuffledSubarray(lines, { minLength: lines.length }), (shuffled) => {
        expect(read(shuffled)).toEqual(written)
      }),
    )
    expect(daysOf([line(3, 5), line(1, 4), line(2, 4)])).toEqual([4, 4, 5])
    const sameMoment = [line(9, 1, { type: 'SELL' }), line(10, 1, { type: 'BUY' })]
    expect(typesOf(sameMoment)).toEqual(['SELL', 'BUY'])
    expect(typesOf(sameMoment.toReversed())).toEqual(['SELL', 'BUY'])
  })

  it('leaves out what was reversed, and the reversal', () => {
    expect(daysOf([line(1, 1), line(2, 2), line(3, 2, { reverses: 2 })])).toEqual([1])
    // The reversal may stand first.
    expect(daysOf([line(3, 2, { reverses: 2 }), line(2, 2), line(1, 1)])).toEqual([1])
  })

  it('tracks cash from the first flow on, unless it was reversed', () => {
    const flow = line(2, 2, { type: 'DEPOSIT' })
    expect(trackingOf([line(1, 1), flow, line(3, 3)])).toEqual([false, true, true])
    expect(trackingOf([line(1, 1), flow, line(3, 3), line(4, 2, { reverses: 2 })])).toEqual([
      false,
      false,
    ])
  })
})
