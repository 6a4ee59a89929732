import { type Decimal, minus, ONE, plus, ZERO } from '../decimal.ts'
import { convert } from '../market-data/quote.ts'

/** What a portfolio brought since inception, by component (decision 20). */
interface Components {
  readonly realized: Decimal
  readonly unrealized: Decimal
  readonly income: Decimal
  /** Charges that are in no basis and no proceeds, >= 0. */
  readonly fees: Decimal
  readonly taxes: Decimal
}

/** Profit and loss: total = realized + unrealized + income - fees - taxes, exactly. */
export interface Result extends Components {
  readonly total: Decimal
}

/** What holdings have brought so far, in the base currency; what is still open comes with its price. */
export type Booked = Omit<Components, 'unrealized'>

export const NOTHING_BOOKED: Booked = { realized: ZERO, income: ZERO, fees: ZERO, taxes: ZERO }

export function addBooked(left: Booked, right: Booked): Booked {
  if (left === NOTHING_BOOKED) return right
  if (isNothing(right)) return left
  return {
    realized: plus(left.realized, right.realized),
    income: plus(left.income, right.income),
    fees: plus(left.fees, right.fees),
    taxes: plus(left.taxes, right.taxes),
  }
}

function isNothing({ realized, income, fees, taxes }: Booked): boolean {
  return realized.isZero() && income.isZero() && fees.isZero() && taxes.isZero()
}

/** The result in the reporting currency, of which one base unit is worth `rate`; all zero when that is not known. */
export function resultOf(booked: Booked, rate: Decimal | undefined, unrealized: Decimal): Result {
  const { realized, income, fees, taxes } =
    rate === undefined ? NOTHING_BOOKED : convertBooked(booked, rate)
  const charges = plus(fees, taxes)
  const gains = plus(plus(realized, unrealized), income)
  const total = charges.isZero() ? gains : minus(gains, charges)
  return { realized, unrealized, income, fees, taxes, total }
}

function convertBooked(booked: Booked, rate: Decimal): Booked {
  if (rate === ONE || rate.equals(ONE)) return booked
  return {
    realized: convert(booked.realized, rate),
    income: convert(booked.income, rate),
    fees: convert(booked.fees, rate),
    taxes: convert(booked.taxes, rate),
  }
}
