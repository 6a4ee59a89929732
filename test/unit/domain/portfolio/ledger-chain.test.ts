import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decimal } from '../../../../src/domain/decimal.ts'
import { chainHash } from '../../../../src/domain/portfolio/ledger-chain.ts'
import { GENESIS_HASH } from '../../../../src/domain/portfolio/state.ts'
import {
  type LedgerEntry,
  NO_TERMS,
  type TransactionTerms,
} from '../../../../src/domain/portfolio/transaction.ts'
import { buy, Scenario, sell } from './scenario.ts'

const ENTRY: LedgerEntry = {
  sequence: 12,
  version: 7,
  type: 'BUY',
  instrumentId: 'ACME',
  accountId: 'böx',
  quantity: decimal('1.50'),
  price: decimal('1e-7'),
  effectiveAt: 1_000,
  recordedAt: 2_000,
  requestId: 'request',
}

function hex(userId: string, entry: LedgerEntry, previous: Uint8Array): string {
  return Buffer.from(chainHash(userId, entry, previous)).toString('hex')
}

describe('chainHash', () => {
  it('keeps its encoding: stored chains must stay verifiable', () => {
    const text =
      '\0' +
      '21:portfolio.v1.ledger/16:user-12:121:73:BUY4:ACME4:böx3:1.59:0.00000014:10004:20007:request'
    const expected = createHash('sha256').update(text).update(GENESIS_HASH).digest('hex')
    expect(hex('user-1', ENTRY, GENESIS_HASH)).toBe(expected)
  })

  it('changes with every field, with the user and with the hash before', () => {
    const changed: Required<{ [Field in keyof LedgerEntry]: LedgerEntry[Field] }> = {
      sequence: 13,
      version: 8,
      type: 'SELL',
      instrumentId: 'ACMF',
      accountId: '',
      quantity: decimal('1.51'),
      price: decimal('1e-8'),
      effectiveAt: 1_001,
      recordedAt: 2_001,
      requestId: 'Request',
      terms: NO_TERMS,
    }
    const hashes = Object.entries(changed).map(([field, value]) =>
      hex('user-1', { ...ENTRY, [field]: value }, GENESIS_HASH),
    )
    hashes.push(hex('user-1', ENTRY, GENESIS_HASH))
    hashes.push(hex('user-2', ENTRY, GENESIS_HASH))
    hashes.push(hex('user-1', ENTRY, new Uint8Array(32).fill(1)))
    expect(new Set(hashes).size).toBe(14)
  })

  it('keeps the encoding of an entry with terms under its own tag', () => {
    const entry = { ...ENTRY, terms: { ...NO_TERMS, fee: decimal('1.50') } }
    const text =
      '\0' +
      '21:portfolio.v1.ledger/26:user-12:121:73:BUY4:ACME4:böx3:1.59:0.00000014:10004:20007:request' +
      '13:{"fee":"1.5"}'
    const expected = createHash('sha256').update(text).update(GENESIS_HASH).digest('hex')
    expect(hex('user-1', entry, GENESIS_HASH)).toBe(expected)
  })

  it('changes with every term', () => {
    const changed: Required<TransactionTerms> = {
      amount: decimal(1),
      fee: decimal(1),
      tax: decimal(1),
      currency: 'EUR',
      exchangeRate: decimal('1.1'),
      priceFactor: decimal('100'),
      counterCurrency: 'EUR',
      counterAmount: decimal(1),
      lots: [{ lotSequence: 1, lotPart: 0, quantity: decimal(1) }],
      carriedLots: [{ acquiredAt: 1, quantity: decimal(1), basis: decimal(1) }],
      externalId: 'x',
      source: 'x',
      settlementDate: '2024-01-01',
      labels: { x: '' },
      counterpartyUserId: 'x',
      counterpartyAccountId: 'x',
      externalTransfer: true,
      reverses: { sequence: 1, reason: '' },
    }
    const nested: Partial<TransactionTerms>[] = [
      { lots: [{ lotSequence: 2, lotPart: 0, quantity: decimal(1) }] },
      { lots: [{ lotSequence: 1, lotPart: 1, quantity: decimal(1) }] },
      { lots: [{ lotSequence: 1, lotPart: 0, quantity: decimal(2) }] },
      { carriedLots: [{ acquiredAt: 2, quantity: decimal(1), basis: decimal(1) }] },
      { carriedLots: [{ acquiredAt: 1, quantity: decimal(2), basis: decimal(1) }] },
      { carriedLots: [{ acquiredAt: 1, quantity: decimal(1), basis: decimal(2) }] },
      { labels: { y: '' } },
      { labels: { x: 'y' } },
      { reverses: { sequence: 2, reason: '' } },
      { reverses: { sequence: 1, reason: 'y' } },
    ]
    const each = Object.entries(changed).map(([field, value]) => ({ [field]: value }))
    const hashes = [{}, ...each, ...nested].map((terms) =>
      hex('user-1', { ...ENTRY, terms: { ...NO_TERMS, ...terms } }, GENESIS_HASH),
    )
    expect(new Set(hashes).size).toBe(1 + 18 + 10)
  })

  it('never reads two entries as one text', () => {
    const field = fc.string({ unit: fc.constantFrom('0', '1', ':', 'A', 'é'), maxLength: 4 })
    const fields = fc.record({
      userId: field,
      instrumentId: field,
      accountId: field,
      requestId: field,
    })
    fc.assert(
      fc.property(fields, fields, (left, right) => {
        const [leftHash, rightHash] = [left, right].map(({ userId, ...facts }) =>
          hex(userId, { ...ENTRY, ...facts }, GENESIS_HASH),
        )
        expect(leftHash === rightHash).toBe(JSON.stringify(left) === JSON.stringify(right))
      }),
      { numRuns: 500 },
    )
  })
})

it('puts the boundary between fields into the hash', () => {
  const left = { ...ENTRY, instrumentId: 'AB', accountId: 'C' }
  const right = { ...ENTRY, instrumentId: 'A', accountId: 'BC' }
  expect(hex('user', left, GENESIS_HASH)).not.toBe(hex('user', right, GENESIS_HASH))
})

describe('the chain of a portfolio', () => {
  it('begins at the genesis hash and links each entry to the one before', () => {
    const scenario = new Scenario()
    const first = scenario.record(buy('1', '10', 1), buy('1', '10', 2))
    const second = scenario.record(sell('1', '11', 3))
    let head = GENESIS_HASH
    for (const { entry, hash } of [...first.entries, ...second.entries]) {
      head = chainHash('user-1', entry, head)
      expect(Buffer.from(hash)).toEqual(Buffer.from(head))
    }
    expect(scenario.state.chainHead).toEqual(head)
    expect(first.after.chainHead).toEqual(first.entries[1]!.hash)
  })
})
