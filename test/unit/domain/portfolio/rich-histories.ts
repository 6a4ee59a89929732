import fc from 'fast-check'
import { decimal, type Decimal, ZERO } from '../../../../src/domain/decimal.ts'
import {
  type TransactionType,
  type TransactionTypeRule,
  transactionTypes,
} from '../../../../src/domain/portfolio/transaction-types.ts'
import { NO_TERMS, type TransactionTerms } from '../../../../src/domain/portfolio/transaction.ts'
import type { Movement } from './histories.ts'

export const ALL_TYPES = Object.keys(transactionTypes) as readonly TransactionType[]
const INSTRUMENTS = ['ACME', 'OTHER']

interface Shape {
  readonly types?: readonly TransactionType[]
  readonly accounts?: readonly string[]
  /** EUR now and then, at a rate of that day; else the base currency alone. */
  readonly foreign?: boolean
}

/** Tenths, hundredths and the like: few digits, so that every sum is exact. */
function amount(unit: number, countMin = 0): fc.Arbitrary<Decimal> {
  return fc.integer({ min: countMin, max: 60 }).map((count) => decimal(count).dividedBy(unit))
}

/** A transaction of any type with the fields its type has; a transfer in always brings a known cost. */
export function richMovements(shape: Shape = {}): fc.Arbitrary<Movement> {
  const { types = ALL_TYPES, accounts = ['', 'A'], foreign = false } = shape
  return fc
    .record({
      type: fc.constantFrom(...types),
      instrumentId: fc.constantFrom(...INSTRUMENTS),
      ofPortfolio: fc.boolean(),
      accountId: fc.constantFrom(...accounts),
      quantity: amount(10, 1),
      price: amount(10, 1),
      money: amount(1, 1),
      fee: amount(100),
      tax: amount(100),
      carried: fc.boolean(),
      euro: fc.boolean(),
      rate: amount(20, 1),
      counterAmount: amount(1, 1),
    })
    .map((drawn): Movement => {
      const { type, instrumentId, ofPortfolio, accountId, quantity, price } = drawn
      const rule: TransactionTypeRule = transactionTypes[type]
      const isNone = rule.symbol === 'none' || (rule.symbol === 'optional' && ofPortfolio)
      const carries = type === 'TRANSFER_IN' && drawn.carried
      return {
        type,
        instrumentId: isNone ? '' : instrumentId,
        accountId,
        quantity: rule.movesUnits ? quantity : ZERO,
        price: rule.price === 'none' || carries ? ZERO : price,
        terms: termsOf(drawn, { foreign, carries }),
      }
    })
}

interface Drawn {
  readonly type: TransactionType
  readonly quantity: Decimal
  readonly money: Decimal
  readonly fee: Decimal
  readonly tax: Decimal
  readonly euro: boolean
  readonly rate: Decimal
  readonly counterAmount: Decimal
}

function termsOf(
  drawn: Drawn,
  { foreign, carries }: { foreign: boolean; carries: boolean },
): TransactionTerms {
  const { type, money, fee, tax, rate } = drawn
  return {
    ...NO_TERMS,
    amount: transactionTypes[type].movesUnits ? ZERO : money,
    fee,
    tax,
    ...(foreign && drawn.euro ? { currency: 'EUR', exchangeRate: rate } : {}),
    ...(type === 'FX_CONVERSION' ? counter(drawn) : {}),
    ...(carries ? { carriedLots: twoLots(drawn.quantity, money) } : {}),
  }
}

function counter({ money, counterAmount }: { money: Decimal; counterAmount: Decimal }) {
  return { counterCurrency: money.greaterThan(30) ? 'GBP' : '', counterAmount }
}

function twoLots(quantity: Decimal, basis: Decimal): TransactionTerms['carriedLots'] {
  const half = quantity.dividedBy(2)
  const rest = quantity.minus(half)
  return [
    { acquiredAt: 1, quantity: half, basis },
    { acquiredAt: 2, quantity: rest, basis: basis.times(2) },
  ]
}

const text = fc.string({ unit: 'grapheme', maxLength: 8 })
const anyDecimal = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 33n }), fc.nat(18))
  .map(([digits, places]) => decimal(`${digits}e-${places}`))

/** Any terms that a validated transaction can have, and some that it cannot. */
export const anyTerms: fc.Arbitrary<TransactionTerms> = fc
  .record({
    amount: anyDecimal,
    fee: anyDecimal,
    tax: anyDecimal,
    currency: fc.constantFrom('', 'EUR', 'GBP'),
    exchangeRate: anyDecimal,
    priceFactor: anyDecimal,
    counterCurrency: fc.constantFrom('', 'EUR'),
    counterAmount: anyDecimal,
    lots: fc.array(fc.record({ lotSequence: fc.nat(), lotPart: fc.nat(9), quantity: anyDecimal }), {
      maxLength: 3,
    }),
    carriedLots: fc.array(
      fc.record({
        acquiredAt: fc.maxSafeInteger(),
        quantity: anyDecimal,
        basis: anyDecimal,
      }),
      { maxLength: 3 },
    ),
    externalId: text,
    source: text,
    settlementDate: fc.constantFrom('', '2024-02-29'),
    labels: fc.dictionary(text, text, { maxKeys: 4 }),
    counterpartyUserId: text,
    counterpartyAccountId: text,
    externalTransfer: fc.boolean(),
    reverses: fc.option(fc.record({ sequence: fc.nat(), reason: text }), { nil: undefined }),
  })
  .map(({ reverses, ...terms }) =>
    reverses === undefined ? terms : Object.assign(terms, { reverses }),
  )
