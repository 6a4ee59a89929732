import { decimal, decimalText, divide, minus } from '../decimal.ts'
import { plainText } from '../text.ts'
import { type Instant, MICROSECONDS_PER_DAY } from '../time.ts'
import type { QuarantineReason, SentQuote } from './accept-quote.ts'
import { type OutlierRule, UNCLASSIFIED_OUTLIER } from './asset-class.ts'
import { type Instrument, ruleOf } from './instrument.ts'
import { type Quote, QUOTE_KINDS } from './quote.ts'

/** A quote that values nobody, as it was sent. */
export interface QuarantinedQuote extends Omit<Quote, 'price'> {
  readonly price: string
  readonly reason: QuarantineReason
}

const TEXT_LENGTH_MAX = 64

/** What is kept of a quote that cannot be used; its texts may be anything. */
export function quarantined(
  sent: SentQuote,
  instrumentId: string,
  reason: QuarantineReason,
  now: Instant,
): QuarantinedQuote {
  const pricedAt = sent.pricedAt ?? now
  return {
    instrumentId,
    price: plainText(sent.price, TEXT_LENGTH_MAX),
    currency: plainText(sent.currencyCode, TEXT_LENGTH_MAX),
    pricedAt: pricedAt > now + MICROSECONDS_PER_DAY ? now : pricedAt,
    source: plainText(sent.source, TEXT_LENGTH_MAX),
    kind: QUOTE_KINDS[sent.kind] ?? 'UNSPECIFIED',
    splitAdjusted: sent.splitAdjusted,
    reason,
  }
}

/** Two outliers this near to each other confirm one another: a fraction of the price. */
const AGREEMENT_MAX = decimal('0.05')

/** What is known when quotes are screened. */
export interface ScreenFacts {
  /** What the instrument's price was before a quote; undefined = it is the first. */
  readonly before: (quote: Quote) => Quote | undefined
  readonly instrumentOf: (instrumentId: string) => Instrument | undefined
  /** An earlier quote as a price of the units of a later one: a recorded split is no move. */
  readonly inUnitsOf?: (earlier: Quote, quote: Quote) => Quote
  /** Held back before. */
  readonly held: readonly Quote[]
}

export interface Screened {
  /** Those to take, and those held back before that they confirm. */
  readonly accepted: readonly Quote[]
  readonly released: readonly Quote[]
  /** Places of those to hold back. */
  readonly outliers: ReadonlySet<number>
}

/**
 * Holds back what moves further in a day than its class does, unless another quote within the class's window says the
 * same (semantics 2.4, Quarantine). Never an instrument's first quote, and never what somebody typed in.
 */
export function screenQuotes(quotes: readonly Quote[], facts: ScreenFacts): Screened {
  const history = new History(facts.before)
  const held = [...facts.held]
  const accepted: Quote[] = []
  const released: Quote[] = []
  const waiting = new Map<Quote, number>()
  for (const [place, quote] of quotes.entries()) {
    const rule = outlierRuleOf(facts.instrumentOf(quote.instrumentId))
    const earlier = history.before(quote)
    if (isOutlier(quote, earlier && (facts.inUnitsOf?.(earlier, quote) ?? earlier), rule)) {
      const confirmed = held.filter((other) => confirms(other, quote, rule))
      if (confirmed.length === 0) {
        held.push(quote)
        waiting.set(quote, place)
        continue
      }
      for (const other of confirmed) {
        held.splice(held.indexOf(other), 1)
        accepted.push(other)
        history.add(other)
        // Those of this very request were not held back yet.
        if (!waiting.delete(other)) released.push(other)
      }
    }
    accepted.push(quote)
    history.add(quote)
  }
  return { accepted, released, outliers: new Set(waiting.values()) }
}

function outlierRuleOf(instrument: Instrument | undefined): OutlierRule {
  return instrument === undefined ? UNCLASSIFIED_OUTLIER : ruleOf(instrument).outlier
}

function isOutlier(quote: Quote, before: Quote | undefined, { moveMax }: OutlierRule): boolean {
  if (before === undefined || quote.kind === 'MANUAL') return false
  if (quote.price.equals(before.price) || quote.currency !== before.currency) return false
  const days = Math.max(1, (quote.pricedAt - before.pricedAt) / MICROSECONDS_PER_DAY)
  const move = minus(quote.price, before.price).abs()
  return divide(move, before.price).greaterThan(moveMax.times(days))
}

/** Another quote of that instrument, near in time and in price. */
function confirms(other: Quote, quote: Quote, { window }: OutlierRule): boolean {
  if (other.instrumentId !== quote.instrumentId || other.currency !== quote.currency) return false
  if (other.pricedAt === quote.pricedAt && other.source === quote.source) return false
  if (Math.abs(other.pricedAt - quote.pricedAt) > window) return false
  const apart = minus(other.price, quote.price).abs()
  return divide(apart, quote.price).lessThanOrEqualTo(AGREEMENT_MAX)
}

/** Quotes taken so far, so that each is measured against the one before it in time. */
class History {
  readonly #before: ScreenFacts['before']
  readonly #taken = new Map<string, Quote[]>()

  constructor(before: ScreenFacts['before']) {
    this.#before = before
  }

  add(quote: Quote): void {
    const taken = this.#taken.get(quote.instrumentId)
    if (taken === undefined) this.#taken.set(quote.instrumentId, [quote])
    else taken.push(quote)
  }

  before(quote: Quote): Quote | undefined {
    const earlier = this.#before(quote)
    const taken = this.#taken.get(quote.instrumentId)
    return taken === undefined ? earlier : newest(taken, earlier, quote.pricedAt)
  }
}

function newest(
  taken: readonly Quote[],
  earlier: Quote | undefined,
  until: Instant,
): Quote | undefined {
  const last = taken.at(-1)
  // A stream goes forward in time, nearly always.
  if (last !== undefined && last.pricedAt <= until && last.pricedAt >= (earlier?.pricedAt ?? 0)) {
    return last
  }
  let found = earlier
  for (const quote of taken) {
    if (quote.pricedAt > until) continue
    if (found === undefined || quote.pricedAt >= found.pricedAt) found = quote
  }
  return found
}

/** The price as a quarantined quote keeps it. */
export function heldBack(quote: Quote): QuarantinedQuote {
  return { ...quote, price: decimalText(quote.price), reason: 'OUTLIER' }
}
