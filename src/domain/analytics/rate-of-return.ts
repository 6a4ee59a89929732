import { DAYS_PER_YEAR } from './annualize.ts'
import { brentRoot } from './brent.ts'
import type { EpochDay } from './epoch-day.ts'

/** What the investor got on a day (> 0) or paid (< 0). */
export interface DatedAmount {
  readonly day: EpochDay
  readonly amount: number
}

interface Payments {
  /** Years from the first payment, ascending from 0. */
  readonly years: Float64Array
  readonly amounts: Float64Array
}

/** An interval of log rates that still may hold a root at this width holds a touching one, or none. */
const WIDTH_MIN = 1e-8

/** It does when the sum cancels to this part of its terms. */
const CANCELLATION_MAX = 1e-13

/** Roots nearer to each other, in log rate, are one: beside a touching root rounding makes some more. */
const DISTANCE_MIN = 1e-5

/**
 * Every annual rate r > -1, as ln(1 + r) and ascending, at which dated amounts discount to nothing on actual/365:
 * sum of amount / (1 + r)^(days / 365) = 0. With one change of sign there is exactly one (Descartes' rule for
 * exponential sums). Else the log rates are halved until an interval provably holds none or one: bounds of the sum
 * and of its derivative come from their positive and negative terms, which are monotone. Roots by Brent.
 */
export function logRates(amounts: readonly DatedAmount[]): number[] {
  const payments = byDay(amounts)
  const changes = signChanges(payments.amounts)
  if (changes === 0) return []
  const [received, paid] = parts(payments, 0, 0)
  const isRootAtZero = Math.abs(received - paid) <= CANCELLATION_MAX * paid
  if (isRootAtZero && changes === 1) return [0]
  if (changes === 1) return onlyRate(payments)
  const positive = rootsAboveZero(payments)
  const negative = rootsAboveZero(reversed(payments))
  return distinct([...negative.map((rate) => -rate).toReversed(), ...positive], isRootAtZero)
}

/** The one rate that there is, above 0 or else below. */
function onlyRate(payments: Payments): number[] {
  const positive = onlyRoot(payments)
  return positive.length > 0 ? positive : onlyRoot(reversed(payments)).map((rate) => -rate)
}

function distinct(rates: readonly number[], isRootAtZero: boolean): number[] {
  const found: number[] = []
  for (const rate of rates) {
    if (isRootAtZero && Math.abs(rate) < DISTANCE_MIN) continue
    if (rate - (found.at(-1) ?? -Infinity) > DISTANCE_MIN) found.push(rate)
  }
  return isRootAtZero ? [...found, 0].toSorted((left, right) => left - right) : found
}

function byDay(amounts: readonly DatedAmount[]): Payments {
  const dated: { readonly day: EpochDay; amount: number }[] = []
  for (const { day, amount } of amounts.toSorted((left, right) => left.day - right.day)) {
    const last = dated.at(-1)
    if (last?.day === day) last.amount += amount
    else dated.push({ day, amount })
  }
  const moved = dated.filter(({ amount }) => amount !== 0)
  const firstDay = moved[0]?.day ?? 0
  return {
    years: Float64Array.from(moved, ({ day }) => (day - firstDay) / DAYS_PER_YEAR),
    amounts: Float64Array.from(moved, ({ amount }) => amount),
  }
}

/** The same sum seen from its end: its roots are those of the first with the other sign. */
function reversed({ years, amounts }: Payments): Payments {
  const last = years.at(-1) ?? 0
  return { years: years.map((year) => last - year).toReversed(), amounts: amounts.toReversed() }
}

function signChanges(amounts: Float64Array): number {
  return amounts.filter((amount, at) => at > 0 && amount > 0 !== (amounts[at - 1] ?? 0) > 0).length
}

/** The positive and negative parts of a sum of a(t) t^power e^(-rate t), both as numbers >= 0 that fall with rate. */
function parts({ years, amounts }: Payments, rate: number, power: 0 | 1): [number, number] {
  let [positive, negative] = [0, 0]
  for (let at = 0; at < amounts.length; at += 1) {
    const [year, amount] = [years[at] ?? 0, amounts[at] ?? 0]
    const term = amount * Math.exp(-rate * year) * (power === 1 ? year : 1)
    if (term > 0) positive += term
    else negative -= term
  }
  return [positive, negative]
}

function presentValue(payments: Payments, rate: number): number {
  const [positive, negative] = parts(payments, rate, 0)
  return positive - negative
}

/** A rate above which the first payment outweighs all others together, so that no root is there. */
function rateMax(payments: Payments): number {
  const first = Math.abs(payments.amounts[0] ?? 0)
  let rate = 1
  for (;;) {
    const [positive, negative] = parts(payments, rate, 0)
    if (positive + negative < 2 * first) return rate
    rate *= 2
  }
}

function onlyRoot(payments: Payments): number[] {
  const high = rateMax(payments)
  const value = (rate: number): number => presentValue(payments, rate)
  return Math.sign(value(0)) === Math.sign(value(high)) ? [] : [brentRoot(value, 0, high)]
}

/** Roots above 0, ascending. */
function rootsAboveZero(payments: Payments): number[] {
  const roots: number[] = []
  const pending: [number, number][] = [[0, rateMax(payments)]]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [low, high] = next
    if (excludesZero(payments, next, 0)) continue
    if (excludesZero(payments, next, 1)) {
      const value = (rate: number): number => presentValue(payments, rate)
      const [atLow, atHigh] = [value(low), value(high)]
      if (atHigh === 0) roots.push(high)
      else if (atLow !== 0 && atLow > 0 !== atHigh > 0) roots.push(brentRoot(value, low, high))
      else if (atLow === 0 && low > 0) roots.push(low)
    } else if (high - low > WIDTH_MIN) {
      const middle = (low + high) / 2
      pending.push([middle, high], [low, middle])
    } else if (low > 0) {
      const [positive, negative] = parts(payments, low, 0)
      if (Math.abs(positive - negative) <= CANCELLATION_MAX * positive) roots.push(low)
    }
  }
  return roots
}

function excludesZero(payments: Payments, [low, high]: [number, number], power: 0 | 1): boolean {
  const [positiveMax, negativeMax] = parts(payments, low, power)
  const [positiveMin, negativeMin] = parts(payments, high, power)
  return positiveMin > negativeMax || negativeMin > positiveMax
}
