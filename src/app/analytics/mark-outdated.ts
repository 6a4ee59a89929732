import type { EpochDay } from '../../domain/analytics/epoch-day.ts'
import type { CorporateAction } from '../../domain/market-data/corporate-action.ts'
import { type Instant, MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import type { HistoryStore, PriceChange, SeenNews } from '../history-store.ts'
import { refreshActions } from '../market-data/action-table.ts'
import { refreshInstruments } from '../market-data/refresh-instruments.ts'
import type {
  ActionTable,
  Clock,
  CorporateActionStore,
  InstrumentStore,
  InstrumentTable,
  Lease,
} from '../ports.ts'

export interface OutdatePorts {
  readonly clock: Clock
  readonly historyStore: HistoryStore
  readonly instrumentStore: InstrumentStore
  readonly actionStore: CorporateActionStore
  readonly instruments: InstrumentTable
  readonly actions: ActionTable
}

type News = Pick<Awaited<ReturnType<HistoryStore['quoteChanges']>>, 'late' | 'revalued' | 'until'>

/** What of the news this replica knows already: each does its work once. */
export class KnownNews {
  #counts: ReadonlyMap<string, number> = new Map()
  /** Up to where it was told; of what another replica looked at since it knows nothing. */
  #until: Instant | undefined
  #names = new Set<string>()

  /** Of what is new, the earliest of each instrument. */
  newAmong({ late, revalued }: News, since: Instant): readonly PriceChange[] {
    const counts = this.#until === since ? this.#counts : new Map<string, number>()
    const earliest = new Map<string, PriceChange>()
    for (const { instrumentId, day = Infinity, dayBefore = Infinity, countBefore } of late) {
      const isKnown = countBefore === (counts.get(instrumentId) ?? 0)
      const fromDay = Math.min(day, isKnown ? Infinity : dayBefore)
      if (fromDay < Infinity) earliest.set(instrumentId, { instrumentId, fromDay })
    }
    for (const { instrumentId, name } of revalued) {
      if (!this.#names.has(name)) earliest.set(instrumentId, { instrumentId, fromDay: undefined })
    }
    return [...earliest.values()]
  }

  /** They have done their work. What is older is not told again. */
  learn({ late, revalued, until }: News): void {
    this.#until = until
    this.#counts = new Map(late.map(({ instrumentId, lastCount }) => [instrumentId, lastCount]))
    this.#names = new Set(revalued.map(({ name }) => name))
  }
}

/**
 * Has the kept days that late prices, corporate actions and new descriptions changed count as outdated; all news that
 * it saw are in this process's tables then, those of prices in the database.
 * @throws LeaseLost, DATABASE_UNAVAILABLE.
 */
export async function markOutdated(
  ports: OutdatePorts,
  lease: Lease,
  {
    yesterday,
    known,
    signal,
  }: { readonly yesterday: EpochDay; readonly known: KnownNews; readonly signal: AbortSignal },
): Promise<SeenNews> {
  const { historyStore, instruments, actions } = ports
  await refreshInstruments(ports)
  await refreshActions(ports)
  let seen = await historyStore.seenNews()
  // Of the table's own epoch no row is: it also counts the symbols that began.
  const { newsEpoch: instrumentEpoch } = instruments
  const { epoch: actionEpoch } = actions.current
  const described = await historyStore.changedInstruments(seen.instrumentEpoch, instrumentEpoch)
  await historyStore.outdate(lease, [
    ...described.map((instrumentId) => ({ instrumentId, fromDay: undefined })),
    ...actions.current.all().filter(isAfter(seen.actionEpoch)).map(changeOf),
  ])
  for (let isAll = false; !isAll && !signal.aborted;) {
    const quotes = await historyStore.quoteChanges(seen.quotesUntil, yesterday)
    await historyStore.outdate(lease, known.newAmong(quotes, seen.quotesUntil))
    seen = { quotesUntil: quotes.until, actionEpoch, instrumentEpoch }
    await historyStore.see(lease, seen)
    known.learn(quotes)
    isAll = quotes.isAll
  }
  return seen
}

function isAfter(epoch: number) {
  return (action: CorporateAction): boolean => action.epoch > epoch
}

function changeOf({ instrumentId, effectiveAt, terms }: CorporateAction): PriceChange {
  // A split also changes what the prices before it are prices of.
  if (terms.kind === 'SPLIT') return { instrumentId, fromDay: undefined }
  // In some time zone it is the day before.
  return { instrumentId, fromDay: Math.floor(effectiveAt / MICROSECONDS_PER_DAY) - 1 }
}
