import fc from 'fast-check'
import { decimal, type Decimal } from '../../../../src/domain/decimal.ts'
import { lotMethods, type LotMethod } from '../../../../src/domain/portfolio/lot-methods.ts'
import type { TransactionType } from '../../../../src/domain/portfolio/transaction-types.ts'
import type { LedgerEntry, TransactionDraft } from '../../../../src/domain/portfolio/transaction.ts'
import { at } from './scenario.ts'

export const ALL_METHODS = Object.keys(lotMethods) as readonly LotMethod[]

interface Shape {
  readonly types?: readonly TransactionType[]
  readonly accounts?: readonly string[]
  readonly instruments?: readonly string[]
  /** Tenths and cents, or all 18 decimals a request can carry. */
  readonly digits?: 'few' | 'many'
}

/** A draft without a time. */
export type Movement = Omit<TransactionDraft, 'effectiveAt'>

/** Any movement; a transfer in has no cost now and then. */
export function movements({ types, accounts, instruments, digits = 'few' }: Shape = {}) {
  const amount = digits === 'few' ? fewDigits : manyDigits
  return fc
    .record({
      type: fc.constantFrom(...(types ?? ['BUY', 'BUY', 'SELL', 'TRANSFER_IN', 'TRANSFER_OUT'])),
      instrumentId: fc.constantFrom(...(instruments ?? ['ACME'])),
      accountId: fc.constantFrom(...(accounts ?? [''])),
      quantity: amount(10),
      price: amount(100),
      costUnknown: fc.nat(3).map((draw) => draw === 0),
    })
    .map(({ costUnknown, ...movement }): Movement => {
      const free =
        movement.type === 'TRANSFER_OUT' || (costUnknown && movement.type === 'TRANSFER_IN')
      const { price } = movement
      return Object.assign(movement, { price: free ? decimal(0) : price })
    })
}

function fewDigits(unit: number): fc.Arbitrary<Decimal> {
  return fc.integer({ min: 1, max: 30 }).map((count) => decimal(count).dividedBy(unit))
}

function manyDigits(): fc.Arbitrary<Decimal> {
  return fc.bigInt({ min: 1n, max: 10n ** 21n }).map((digits) => decimal(`${digits}e-18`))
}

/** The movements as the ledger of one portfolio, a second apart. */
export function ledgerOf(list: readonly Movement[]): readonly LedgerEntry[] {
  return list.map((movement, index) => ({
    ...movement,
    sequence: index + 1,
    version: index + 1,
    effectiveAt: at(index),
    recordedAt: at(index),
    requestId: 'request',
  }))
}

export function datedAt(movement: Movement, seconds: number): TransactionDraft {
  return { ...movement, effectiveAt: at(seconds) }
}
