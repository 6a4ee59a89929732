import type { EpochDay } from '../../domain/analytics/epoch-day.ts'
import type { CorporateActions } from '../../domain/market-data/corporate-actions.ts'
import { type Instant, MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import type { AnalyticsStore } from '../analytics-ports.ts'
import type { ActionTable, Clock, InstrumentTable } from '../ports.ts'
import { PriceMatrix } from './price-matrix.ts'

/** A quote is stamped before it is committed, by a clock that may be a little off. */
const COMMIT_LAG_MAX_MICROSECONDS = 5_000_000
/** Instruments whose history one statement reads. */
const INSTRUMENTS_PER_READ = 50

interface PricePorts {
  readonly clock: Clock
  readonly store: AnalyticsStore
  readonly instruments: InstrumentTable
  readonly actions: ActionTable
}

/** Daily closes kept in this process: read when they are first asked for, and followed from then on. */
export class ResidentPrices {
  readonly closes: PriceMatrix
  readonly #ports: PricePorts
  readonly #loading = new Map<string, Promise<void>>()
  #recordedUntil: Instant
  #isStale = false
  #refreshing: Promise<void> | undefined

  constructor(ports: PricePorts) {
    this.#ports = ports
    this.closes = new PriceMatrix(ports.instruments, () => ports.actions.current)
    this.#recordedUntil = ports.clock.now()
    ports.instruments.follow((changed) => {
      for (const { instrumentId } of changed) this.closes.outdate(instrumentId)
    })
  }

  /** There are new quotes: the next look is not without them. */
  markStale(): void {
    this.#isStale = true
  }

  /** Takes in the quotes recorded since the last time, if there are any closes that they could change. */
  async refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    await this.#refreshing
  }

  /** Makes these instruments' closes present, as new as the quotes that this process took in. */
  async ensure(instrumentIds: Iterable<string>): Promise<void> {
    if (this.#isStale) await this.refresh()
    const wanted = [...new Set(instrumentIds)]
    // More than once only where a split or a description was recorded while they were read.
    for (;;) {
      const absent = wanted.filter((instrumentId) => !this.closes.has(instrumentId))
      if (absent.length === 0) return
      await this.#loadAll(absent)
    }
  }

  async #loadAll(instrumentIds: readonly string[]): Promise<void> {
    const missing: string[] = []
    const waits = new Set<Promise<void>>()
    for (const instrumentId of instrumentIds) {
      const loading = this.#loading.get(instrumentId)
      if (loading === undefined) missing.push(instrumentId)
      else waits.add(loading)
    }
    for (const [withUnits, ids] of byUnits(this.closes, missing)) {
      for (let from = 0; from < ids.length; from += INSTRUMENTS_PER_READ) {
        waits.add(this.#load(ids.slice(from, from + INSTRUMENTS_PER_READ), withUnits))
      }
    }
    await Promise.all(waits)
  }

  /** All that are known: the closes are in the units after their last split. */
  get actions(): CorporateActions {
    return this.#ports.actions.current
  }

  /** Today, UTC: the last day that the closes have room for in any case. */
  get today(): EpochDay {
    return Math.floor(this.#ports.clock.now() / MICROSECONDS_PER_DAY)
  }

  async #load(instrumentIds: readonly string[], withUnits: boolean): Promise<void> {
    const loading = this.#ports.store
      .closes(instrumentIds, { recordedUntil: undefined, withUnits })
      .then((histories) => this.closes.put(instrumentIds, histories, this.today))
      .finally(() => {
        for (const instrumentId of instrumentIds) this.#loading.delete(instrumentId)
      })
    for (const instrumentId of instrumentIds) this.#loading.set(instrumentId, loading)
    await loading
  }

  async #refresh(): Promise<void> {
    this.#isStale = false
    if (this.closes.isEmpty) {
      // Whatever is read later is read as it is then.
      this.#recordedUntil = this.#ports.clock.now()
      return
    }
    try {
      const since = this.#recordedUntil - COMMIT_LAG_MAX_MICROSECONDS
      const { closes, recordedUntil } = await this.#ports.store.closesSince(since)
      this.closes.update(closes)
      this.#recordedUntil = Math.max(this.#recordedUntil, recordedUntil)
    } catch (error) {
      this.#isStale = true
      throw error
    }
  }
}

/** The closes as they were known at a moment: of one call, and kept by nobody. */
export async function closesKnownAt(
  ports: PricePorts,
  recordedUntil: Instant,
): Promise<Pick<ResidentPrices, 'actions' | 'closes' | 'ensure'>> {
  const actions = ports.actions.current.knownAt(recordedUntil)
  const closes = new PriceMatrix(ports.instruments, () => actions)
  const today = Math.floor(ports.clock.now() / MICROSECONDS_PER_DAY)
  return {
    actions,
    closes,
    async ensure(instrumentIds) {
      const missing = [...new Set(instrumentIds)].filter((each) => !closes.has(each))
      for (const [withUnits, ids] of byUnits(closes, missing)) {
        closes.put(ids, await ports.store.closes(ids, { recordedUntil, withUnits }), today)
      }
    },
  }
}

/** Few instruments ever had a split: only theirs are read with what each price is of. */
function byUnits(
  closes: PriceMatrix,
  instrumentIds: readonly string[],
): readonly (readonly [boolean, readonly string[]])[] {
  const [plain, split]: [string[], string[]] = [[], []]
  for (const id of instrumentIds) (closes.needsUnits(id) ? split : plain).push(id)
  return [
    [false, plain],
    [true, split],
  ]
}
