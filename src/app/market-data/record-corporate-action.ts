import type { Decimal } from '../../domain/decimal.ts'
import type { ActionTerms, Payment } from '../../domain/market-data/corporate-action.ts'
import { exchanges } from '../../domain/market-data/exchanges.ts'
import type { Instrument } from '../../domain/market-data/instrument.ts'
import { inMajorUnit } from '../../domain/market-data/minor-unit.ts'
import { pairsBetween } from '../../domain/market-data/quote.ts'
import { startOfDay } from '../../domain/portfolio/calendar-day.ts'
import type { Instant } from '../../domain/time.ts'
import type {
  ActionRequest,
  ActionTable,
  Clock,
  CorporateActionStore,
  InstrumentStore,
  InstrumentTable,
  QuoteStore,
} from '../ports.ts'
import { refreshActions } from './action-table.ts'
import { renameInstrument } from './rename-instrument.ts'

/** Money per unit as it was sent; an empty currency is the instrument's. */
interface SentPayment {
  readonly amount: Decimal
  readonly currency: string
}

/** What was sent, checked; whatever needs reference data is still to be found. */
export type SentTerms =
  | Extract<ActionTerms, { readonly kind: 'SPLIT' | 'SPIN_OFF' }>
  | { readonly kind: 'SYMBOL_CHANGE'; readonly newSymbol: string }
  | {
      readonly kind: 'MERGER'
      readonly newInstrumentId: string
      readonly ratio: Decimal
      readonly cash: SentPayment | undefined
    }
  | {
      readonly kind: 'CASH_DIVIDEND'
      readonly payment: SentPayment
      readonly payDay: string
      readonly returnOfCapital: boolean
    }

export interface RecordActionCommand {
  readonly instrumentId: string
  readonly exDay: string
  readonly terms: SentTerms
  readonly request: ActionRequest
}

export interface ActionPorts {
  readonly clock: Clock
  readonly actionStore: CorporateActionStore
  readonly actions: ActionTable
  readonly instrumentStore: InstrumentStore
  readonly instruments: InstrumentTable
  readonly quoteStore: QuoteStore
  /** Tells the other replicas that there is something new. */
  readonly announce: () => void
}

/**
 * Records a corporate action once for its instrument; no row of a holder is touched. This replica folds it from now
 * on, the others when they look next.
 * @throws PortfolioError INSTRUMENT_UNKNOWN, SYMBOL_TAKEN, IDEMPOTENCY_KEY_REUSED.
 */
export async function recordCorporateAction(
  ports: ActionPorts,
  { instrumentId, exDay, terms: sent, request }: RecordActionCommand,
): Promise<{ readonly actionId: number }> {
  const now = ports.clock.now()
  const instrument = ports.instruments.get(instrumentId)
  const zone = exchanges.get(instrument?.mic ?? '')?.timeZone ?? 'UTC'
  const effectiveAt = startOfDay(exDay, zone)
  const terms = await termsOf(ports, sent, { instrumentId, instrument, exDay, effectiveAt })
  const targetId = 'newInstrumentId' in terms ? terms.newInstrumentId : ''
  const recorded = await ports.actionStore.record(
    { instrumentId, exDay, effectiveAt, terms, ...(targetId !== '' && { targetId }) },
    request,
    now,
  )
  await refreshActions(ports)
  ports.announce()
  return recorded
}

interface Context {
  readonly instrumentId: string
  readonly instrument: Instrument | undefined
  readonly exDay: string
  readonly effectiveAt: Instant
}

async function termsOf(
  ports: ActionPorts,
  sent: SentTerms,
  context: Context,
): Promise<ActionTerms> {
  switch (sent.kind) {
    case 'SPLIT':
    case 'SPIN_OFF':
      return sent
    case 'SYMBOL_CHANGE': {
      const { instrumentId, exDay } = context
      const oldSymbol = await renameInstrument(ports, instrumentId, sent.newSymbol, exDay)
      return { ...sent, oldSymbol }
    }
    case 'MERGER':
      return { ...sent, cash: sent.cash && (await paymentOf(ports, sent.cash, context)) }
    case 'CASH_DIVIDEND':
      return { ...sent, payment: await paymentOf(ports, sent.payment, context) }
  }
}

/**
 * With the rates of the ex-date, as far as they are known: what a holder was paid is told by them for ever, whatever
 * the holder's base currency.
 */
async function paymentOf(
  { clock, quoteStore }: ActionPorts,
  { amount, currency }: SentPayment,
  { instrument, effectiveAt }: Context,
): Promise<Payment> {
  const major = inMajorUnit(amount, currency || (instrument?.currency ?? ''))
  if (major.currency === '') return { perUnit: amount, currency: '', rates: {} }
  const pairs = new Set(
    Intl.supportedValuesOf('currency').flatMap((other) => pairsBetween(major.currency, other)),
  )
  const at = Math.min(effectiveAt, clock.now())
  const quotes = await quoteStore.readAsOf([...pairs], at, undefined)
  const rates = Object.fromEntries(quotes.map(({ instrumentId, price }) => [instrumentId, price]))
  return { perUnit: major.price, currency: major.currency, rates }
}
