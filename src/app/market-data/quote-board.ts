import { constantQuote, effectiveQuote } from '../../domain/market-data/effective-quote.ts'
import { CorporateActions } from '../../domain/market-data/corporate-actions.ts'
import { pairedQuote } from '../../domain/market-data/paired-quote.ts'
import type { EffectiveQuote, Quote } from '../../domain/market-data/quote.ts'
import type { ActionTable, Clock, InstrumentTable, QuoteBoard } from '../ports.ts'

/**
 * An empty board. A quote replaces the one it has unless that one is newer, so the order of arrival is no matter.
 * What an instrument makes of a quote is found out when either changes: those who read it find it done.
 */
export function createQuoteBoard(
  instruments: InstrumentTable,
  {
    clock,
    table,
  }: { readonly clock: Clock; readonly table: Pick<ActionTable, 'current'> } = NO_ACTIONS,
): QuoteBoard {
  const received = new Map<string, Quote>()
  const newest = new Map<string, EffectiveQuote>()
  let suspects: ReadonlySet<string> = new Set()
  const followers = new Set<(changed: readonly Quote[]) => void>()

  function resolve(quote: Quote): EffectiveQuote {
    const instrument = instruments.get(quote.instrumentId)
    return instrument === undefined ? quote : effectiveQuote(quote, instrument)
  }

  /** Gives back what values differently now. */
  function put(quote: Quote): readonly Quote[] {
    const before = newest.get(quote.instrumentId)
    const after = resolve(quote)
    newest.set(quote.instrumentId, after)
    return before === undefined || !isSameValue(before, after) ? [after] : []
  }

  function tellOf(changed: readonly Quote[]): void {
    if (changed.length === 0) return
    for (const tell of followers) tell(changed)
  }

  /** In the units of now, whichever it was told in. */
  function effective(instrumentId: string): EffectiveQuote | undefined {
    const quote = newest.get(instrumentId)
    const actions = table.current
    return quote === undefined || actions.epoch === 0
      ? quote
      : pairedQuote(quote, actions, clock.now())
  }

  instruments.follow((changed) => {
    tellOf(
      changed.flatMap((instrument) => {
        const quote = constantQuote(instrument) ?? received.get(instrument.instrumentId)
        return quote === undefined ? [] : put(quote)
      }),
    )
  })

  return {
    instruments,
    get actions() {
      return table.current
    },
    latest: effective,
    all: () => [...newest.keys()].flatMap((instrumentId) => effective(instrumentId) ?? []),
    isSplitSuspected: (instrumentId) => suspects.has(instrumentId),
    suspectSplits(instrumentIds) {
      suspects = instrumentIds
    },
    publish(quotes) {
      tellOf(
        quotes.flatMap((quote) => {
          const present = received.get(quote.instrumentId)
          if (present !== undefined && quote.pricedAt < present.pricedAt) return []
          received.set(quote.instrumentId, quote)
          const instrument = instruments.get(quote.instrumentId)
          // Money is worth itself, whatever anybody quotes.
          return instrument && constantQuote(instrument) ? [] : put(quote)
        }),
      )
    },
    follow(listener) {
      // Of its own, so that one listener may follow twice.
      const follower = (changed: readonly Quote[]): void => listener(changed)
      followers.add(follower)
      return () => followers.delete(follower)
    },
  }
}

const NO_ACTIONS = {
  clock: { now: () => 0, monotonicMs: () => 0 },
  table: { current: CorporateActions.none },
}

/** Replicas read quotes again that they have: those move nothing. */
function isSameValue(left: EffectiveQuote, right: EffectiveQuote): boolean {
  const leftValue = left.unitPrice ?? left.price
  const rightValue = right.unitPrice ?? right.price
  return leftValue.equals(rightValue) && left.currency === right.currency
}
