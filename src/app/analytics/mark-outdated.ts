import type { EpochDay } from '../../domain/analytics/epoch-day.ts'
import type { CorporateAction } from '../../domain/market-data/corporate-action.ts'
import { MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import type { FencedLease, HistoryStore, PriceChange, SeenNews } from '../history-ports.ts'
import { refreshActions } from '../market-data/action-table.ts'
import { refreshInstruments } from '../market-data/refresh-instruments.ts'
import type {
  ActionTable,
  CorporateActionStore,
  InstrumentStore,
  InstrumentTable,
} from '../ports.ts'

export interface OutdatePorts {
  readonly historyStore: HistoryStore
  readonly instrumentStore: InstrumentStore
  readonly actionStore: CorporateActionStore
  readonly instruments: InstrumentTable
  readonly actions: ActionTable
}

/**
 * Has the kept days that late prices, corporate actions and new descriptions changed count as outdated; all news that
 * it saw are in this process's tables then, those of prices in the database.
 * @throws LeaseLost, DATABASE_UNAVAILABLE.
 */
export async function markOutdated(
  ports: OutdatePorts,
  lease: FencedLease,
  { yesterday, signal }: { readonly yesterday: EpochDay; readonly signal: AbortSignal },
): Promise<SeenNews> {
  const { historyStore, instruments, actions } = ports
  await refreshInstruments(ports)
  await refreshActions(ports)
  let seen = await historyStore.seenNews()
  const { epoch: instrumentEpoch } = instruments
  const { epoch: actionEpoch } = actions.current
  const described = await historyStore.changedInstruments(seen.instrumentEpoch, instrumentEpoch)
  const reference = [
    ...described.map((instrumentId) => ({ instrumentId, fromDay: undefined })),
    ...actions.current.all().filter(isAfter(seen.actionEpoch)).map(changeOf),
  ]
  await historyStore.outdate(lease, reference.filter(isKept))
  for (let isAll = false; !isAll && !signal.aborted;) {
    const quotes = await historyStore.quoteChanges(seen.quotesUntil)
    await historyStore.outdate(lease, quotes.changes.filter(isKept))
    seen = { quotesUntil: quotes.until, actionEpoch, instrumentEpoch }
    await historyStore.see(lease, seen)
    isAll = quotes.isAll
  }
  return seen

  /** Days that are not over are not kept yet. */
  function isKept({ fromDay }: PriceChange): boolean {
    return fromDay === undefined || fromDay <= yesterday
  }
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
