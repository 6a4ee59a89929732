import { type Decimal, multiply, ONE, share } from '../decimal.ts'
import type { Instant } from '../time.ts'
import type { CorporateAction } from './corporate-action.ts'
import type { CorporateActions } from './corporate-actions.ts'
import type { EffectiveQuote } from './quote.ts'

/**
 * The quote as a price of the units of `at` (decision 28). A price as it was paid is of the units of its own moment;
 * one of an adjusted history is of the units of when it was recorded, which every split up to then made, and none of
 * those is counted again. A quote that no split concerns is given back as it is.
 */
export function pairedQuote<Given extends EffectiveQuote>(
  quote: Given,
  actions: CorporateActions | undefined,
  at: Instant,
): Given {
  const known = actions?.of(quote.instrumentId) ?? []
  if (known.length === 0) return quote
  const { numerator, denominator } = ratioOf(known, unitsOf(quote), at)
  if (numerator.equals(denominator)) return quote
  const perUnit = (price: Decimal): Decimal => share(price, numerator, denominator)
  return {
    ...quote,
    price: perUnit(quote.price),
    ...(quote.unitPrice && { unitPrice: perUnit(quote.unitPrice) }),
    splitAdjusted: true,
  }
}

/** The moment whose units a quote is a price of. */
function unitsOf({
  pricedAt,
  recordedAt = pricedAt,
  splitAdjusted,
}: Pick<EffectiveQuote, 'pricedAt' | 'recordedAt' | 'splitAdjusted'>): Instant {
  return splitAdjusted ? Math.max(pricedAt, recordedAt) : pricedAt
}

/**
 * A price of a unit of `from` as one of a unit after all splits that are recorded, those to come included: in such
 * units a split changes neither price nor quantity.
 */
export function priceInLastUnits(actions: readonly CorporateAction[], from: Instant): number {
  const { numerator, denominator } = ratioOf(actions, from, Number.POSITIVE_INFINITY)
  return numerator.toNumber() / denominator.toNumber()
}

/** Units of `from` for units of `to`. */
function ratioOf(
  actions: readonly CorporateAction[],
  from: Instant,
  to: Instant,
): { readonly numerator: Decimal; readonly denominator: Decimal } {
  const [first, last] = from < to ? [from, to] : [to, from]
  let before: Decimal = ONE
  let after: Decimal = ONE
  for (const { effectiveAt, reversedAt, terms } of actions) {
    if (terms.kind !== 'SPLIT' || reversedAt !== undefined) continue
    if (effectiveAt <= first || effectiveAt > last) continue
    before = multiply(before, terms.denominator)
    after = multiply(after, terms.numerator)
  }
  return from < to
    ? { numerator: before, denominator: after }
    : { numerator: after, denominator: before }
}
