import { isOneCurrency, type ValuedLedger } from '../../domain/analytics/valued-ledger.ts'
import {
  type FlowMoment,
  type FlowMoments,
  largestFlows,
} from '../../domain/analytics/flow-moments.ts'
import type { Quote, QuoteKind } from '../../domain/market-data/quote.ts'
import { MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import type { QuoteStore } from '../ports.ts'
import type { AnalyticsPorts } from './analytics-ports.ts'
import type { AnalyzedPortfolio } from './one-portfolio.ts'

/** Flows of one analysis that prices are looked for at, the largest: it is with them that the moment matters. */
const FLOWS_MAX = 100
/** Prices of one analysis that are looked for at flows. */
const PRICES_MAX = 5_000
/** They are of a day, whenever in it they are stamped. */
const OF_DAYS: ReadonlySet<QuoteKind> = new Set<QuoteKind>(['CLOSE', 'NAV'])

/**
 * The ledger with what everything held was worth at the moments of flows, by quotes of that UTC day up to then; a close
 * is of the day, and no quote of a moment. A moment at which one has none is not among them, and none is where
 * currencies are converted: there are rates of days alone. One part is asked for first, so that what is quoted daily
 * costs one look a flow.
 */
export async function withFlowPrices(
  { quoteStore }: Pick<AnalyticsPorts, 'quoteStore'>,
  read: AnalyzedPortfolio,
  valued: ValuedLedger,
): Promise<ValuedLedger> {
  // What was known once is known of days alone.
  if (read.recordedUntil !== undefined || !isOneCurrency(valued)) return valued
  const { actions } = read.prices
  const moments = await momentsAt(quoteStore, read)
  // Of a split that was recorded meanwhile the ledger does not know.
  return read.prices.actions === actions ? { ...valued, moments } : valued
}

async function momentsAt(
  quotes: Pick<QuoteStore, 'readBefore'>,
  { ledger, prices }: AnalyzedPortfolio,
): Promise<FlowMoments> {
  const flows = largestFlows(ledger.numbers, FLOWS_MAX)
  const look = async (wanted: readonly Wanted[]): Promise<readonly (number | undefined)[]> => {
    const asked = wanted.map(({ part, instant }) => ({
      instrumentId: ledger.instrumentIds[part] ?? '',
      pricedAt: instant,
    }))
    const found = await quotes.readBefore(asked)
    return wanted.map(({ instant }, at) => {
      const quote = found.get(at)
      return quote && isOfMoment(quote, instant) ? prices.closes.unitPrice(quote) : undefined
    })
  }
  const probes = flows.map(({ instant, parts }) => ({ instant, part: parts[0] ?? -1 }))
  const probed = await look(probes)
  const wanted = upTo(flows.filter((_, at) => probed[at] !== undefined))
  const found = await look(wanted)
  return momentsOf(wanted, found, ledger.instrumentIds.length)
}

interface Wanted {
  readonly instant: number
  readonly part: number
}

/** Whole moments, as many as may be asked for. */
function upTo(flows: readonly FlowMoment[]): readonly Wanted[] {
  const wanted: Wanted[] = []
  for (const { instant, parts } of flows) {
    if (wanted.length + parts.length > PRICES_MAX) break
    for (const part of parts) wanted.push({ instant, part })
  }
  return wanted
}

function momentsOf(
  wanted: readonly Wanted[],
  found: readonly (number | undefined)[],
  partCount: number,
): FlowMoments {
  const lacking = new Set(
    wanted.filter((_, at) => found[at] === undefined).map((each) => each.instant),
  )
  const instants = [...new Set(wanted.map(({ instant }) => instant))].filter(
    (instant) => !lacking.has(instant),
  )
  const prices = new Float64Array(instants.length * partCount).fill(NaN)
  for (const [at, { instant, part }] of wanted.entries()) {
    const row = instants.indexOf(instant)
    if (row >= 0) prices[row * partCount + part] = found[at] ?? NaN
  }
  return { instants: Float64Array.from(instants), prices }
}

function isOfMoment({ kind, pricedAt }: Quote, instant: number): boolean {
  const startOfDay = Math.floor(instant / MICROSECONDS_PER_DAY) * MICROSECONDS_PER_DAY
  return pricedAt >= startOfDay && !OF_DAYS.has(kind)
}
