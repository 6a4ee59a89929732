import { describe, expect, it } from '@jest/globals'
import type { PortfolioChange } from '../../../../src/domain/portfolio/portfolio-change.ts'
import {
  NO_HISTORIES,
  recordTransactions,
} from '../../../../src/domain/portfolio/record-transactions.ts'
import { at, buy, NOW, Scenario, sell, transferIn, transferOut } from './scenario.ts'
import { plain } from './stored-rows.ts'

const CONTEXT = { now: NOW, requestId: 'request', histories: NO_HISTORIES }

function warningsOf({ warnings }: PortfolioChange): readonly string[] {
  return warnings.map(({ index, reason }) => `${index}:${reason}`)
}

describe('numbering', () => {
  it('counts versions by request and sequences by transaction, in request order', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10', 9), buy('1', '10', 1))
    scenario.record(buy('1', '10', 10))
    const numbers = scenario.ledger.map(({ version, sequence, effectiveAt }) => [
      version,
      sequence,
      effectiveAt,
    ])
    expect(numbers).toEqual([
      [1, 1, at(9)],
      [1, 2, at(1)],
      [2, 3, at(10)],
    ])
    expect(scenario.state).toMatchObject({ version: 2, lastSequence: 3 })
  })

  it('stamps what it records with the request and the clock', () => {
    const scenario = new Scenario()
    const { entries } = scenario.record(buy('1', '10', 1))
    expect(entries[0]!.entry).toMatchObject({ requestId: 'request-1', recordedAt: scenario.now })
  })

  it('gives a transaction without a time the time of receipt (decision 14)', () => {
    const scenario = new Scenario()
    const { entries } = scenario.record(buy('1', '10'), sell('1', '11'))
    expect(entries.map(({ entry }) => entry.effectiveAt)).toEqual([scenario.now, scenario.now])
  })

  it('never records behind the last record, whatever the clock of this replica says', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10'))
    const last = scenario.state.lastRecordedAt
    scenario.now -= 60_000_000
    const { entries, warnings } = scenario.record(sell('1', '11'))
    expect(entries[0]!.entry).toMatchObject({ effectiveAt: last + 1, recordedAt: last + 1 })
    expect(warnings).toEqual([])
  })

  it('leaves the state it began with alone', () => {
    const scenario = new Scenario()
    const { before, after } = scenario.record(buy('1', '10', 1))
    expect(before).toMatchObject({ version: 0, lastSequence: 0, books: new Map() })
    expect(after.books.size).toBe(1)
  })
})

describe('order (decisions 5 and 6)', () => {
  it('keeps the request order for equal and for absent times', () => {
    for (const seconds of [1, undefined]) {
      expect(new Scenario().refuse(sell('1', '10', seconds), buy('1', '10', seconds)).reason).toBe(
        'INSUFFICIENT_QUANTITY',
      )
      new Scenario().record(buy('1', '10', seconds), sell('1', '10', seconds))
    }
  })

  it('puts an equal time behind what is recorded already', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10', 1))
    scenario.record(buy('1', '20', 1))
    scenario.record(sell('1', '30', 2))
    expect(scenario.lots()).toEqual(['1 for 20'])
  })

  it('tests each moment, not only the last', () => {
    const scenario = new Scenario()
    const error = scenario.refuse(buy('10', '1', 1), sell('11', '1', 2), buy('5', '1', 3))
    expect(error.metadata).toMatchObject({ index: '1', at: '2020-01-01T00:00:02Z' })
  })

  it('refuses all of a request or nothing', () => {
    const scenario = new Scenario()
    scenario.refuse(buy('10', '1', 1), sell('1', '1', 2, { instrumentId: 'OTHER' }))
    expect(scenario.state).toMatchObject({ version: 0, books: new Map() })
  })
})

describe('histories', () => {
  it('are asked for only when a transaction is not later than all of its instrument', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '1', 5), buy('1', '1', 9, { instrumentId: 'OTHER' }))
    const later = recordTransactions(scenario.state, [sell('1', '1', 6)], CONTEXT)
    expect(later.kind).toBe('recorded')
    const mixed = [sell('1', '1', 5), sell('1', '1', 9, { instrumentId: 'OTHER' })]
    expect(recordTransactions(scenario.state, mixed, CONTEXT)).toEqual({
      kind: 'needs-history',
      instrumentIds: ['ACME', 'OTHER'],
      wholeLedger: false,
    })
    expect(recordTransactions(scenario.state, [buy('1', '1', 5)], CONTEXT).kind).toBe(
      'needs-history',
    )
  })

  it('of other accounts of the instrument count as well', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '1', 5, { accountId: 'A' }))
    const earlier = [buy('1', '1', 4, { accountId: 'B' })]
    expect(recordTransactions(scenario.state, earlier, CONTEXT).kind).toBe('needs-history')
  })
})

describe('backdating (decision 7)', () => {
  it('replays the lots and supersedes the matches from that moment on', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), sell('2', '150', 2), buy('10', '130', 4))
    scenario.record(sell('4', '150', 5))
    const change = scenario.record(buy('5', '90', 3), sell('8', '140', 3))
    expect(change.superseded).toEqual([{ instrumentId: 'ACME', from: at(3) }])
    expect(plain(change.matches.map(({ match }) => [match.disposalSequence, match.basis]))).toEqual(
      [
        [6, '800'],
        [4, '360'],
      ],
    )
    expect(scenario.lots()).toEqual(['1 for 90', '10 for 1300'])
    expect(
      plain(scenario.rows.matches().map(({ disposalSequence: by, gain }) => [by, gain])),
    ).toEqual([
      [2, '100'],
      [6, '320'],
      [4, '240'],
    ])
  })

  it('supersedes nothing when the request is later than all there is', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), sell('2', '150', 2))
    expect(scenario.record(sell('2', '150', 3)).superseded).toEqual([])
  })

  it('changes no other instrument', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 5), buy('10', '100', 5, { instrumentId: 'OTHER' }))
    const change = scenario.record(buy('5', '90', 3))
    expect(change.holdings.map(({ instrumentId }) => instrumentId)).toEqual(['ACME'])
    expect(change.after.books.get('OTHER')).toBe(change.before.books.get('OTHER'))
  })

  it('warns for each transaction before something recorded, and for no other', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 5))
    const change = scenario.record(
      buy('1', '90', 3),
      buy('1', '91', 5),
      buy('1', '92', 6),
      buy('1', '93', 1, { instrumentId: 'OTHER' }),
    )
    expect(warningsOf(change)).toEqual(['0:BACKDATED'])
  })

  it('does not call a batch that is not in order backdated', () => {
    expect(warningsOf(new Scenario().record(sell('5', '1', 2), buy('5', '1', 1)))).toEqual([])
  })
})

describe('warnings', () => {
  it('tell look-alikes from transactions that differ in anything (decision 9)', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 5))
    const change = scenario.record(
      buy('10.0', '100.00', 5),
      buy('10', '101', 5),
      buy('11', '100', 5),
      sell('10', '100', 5),
      transferIn('10', '100', 5),
      buy('10', '100', 6),
      buy('10', '100', 5, { accountId: 'A' }),
      buy('10', '100', 5, { instrumentId: 'OTHER' }),
    )
    expect(warningsOf(change)).toEqual(['0:POSSIBLE_DUPLICATE'])
  })

  it('name a transfer in without a cost (decision 3)', () => {
    const change = new Scenario().record(
      transferIn('1', '0', 1),
      transferIn('1', '5', 2),
      transferOut('1', 3),
    )
    expect(warningsOf(change)).toEqual(['0:BASIS_UNKNOWN'])
  })

  it('come in request order, each transaction with all of its own', () => {
    const scenario = new Scenario()
    scenario.record(transferIn('1', '0', 1), buy('1', '1', 2))
    const change = scenario.record(transferIn('1', '0', 1), transferIn('1', '0', 1))
    expect(warningsOf(change)).toEqual([
      '0:BACKDATED',
      '0:BASIS_UNKNOWN',
      '0:POSSIBLE_DUPLICATE',
      '1:BACKDATED',
      '1:BASIS_UNKNOWN',
      '1:POSSIBLE_DUPLICATE',
    ])
  })
})

describe('changed rows', () => {
  it('are only those that the request touched', () => {
    const scenario = new Scenario()
    scenario.record(
      buy('10', '100', 1),
      buy('10', '130', 2),
      buy('1', '1', 2, { instrumentId: 'B' }),
    )
    const change = scenario.record(sell('12', '150', 3))
    expect(change.holdings).toHaveLength(1)
    expect(plain(change.lots.map(({ lot }) => [lot.openedSequence, lot.quantity]))).toEqual([
      [2, '8'],
    ])
    expect(change.closedLots).toMatchObject([
      { instrumentId: 'ACME', lot: { accountId: '', openedSequence: 1, part: 0 } },
    ])
  })
})
