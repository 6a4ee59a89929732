import type { EpochDay } from '../../domain/analytics/epoch-day.ts'
import type { CorporateActions } from '../../domain/market-data/corporate-actions.ts'
import { PortfolioError } from '../../domain/errors.ts'
import { type Instant, MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import type { AnalyticsStore } from '../analytics-store.ts'
import type { ActionTable, Clock, InstrumentTable } from '../ports.ts'
import { PriceMatrix } from './price-matrix.ts'

/** A quote is stamped before it is committed, by a clock that may be a little off. */
const COMMIT_LAG_MAX_MICROSECONDS = 5_000_000
/** Instruments whose history one statement reads. */
const INSTRUMENTS_PER_READ = 50
/** Statements that read closes at once: other calls have the rest of the connections. */
const READS_MAX = 4
const READS_OF_A_CALL_MAX = 2

/** News of instruments and actions that come while an analysis is prepared; each has it prepared anew. */
export const NEWS_MAX = 20

export function tooMuchNews(): PortfolioError {
  const message = 'instruments or corporate actions changed faster than their prices were read'
  return new PortfolioError('ANALYSIS_FAILED', message)
}

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
  readonly #turns = new Turns(READS_MAX)
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
    // One that is under way may have the news, or may have begun before them.
    if (this.#refreshing !== undefined) await this.#refreshing.catch(() => undefined)
    if (this.#isStale) await this.refresh()
    const wanted = [...new Set(instrumentIds)]
    // More than once only where a split or a description was recorded while they were read.
    for (let loads = 0; ; loads += 1) {
      const absent = wanted.filter((instrumentId) => !this.closes.has(instrumentId))
      if (absent.length === 0) return
      if (loads === NEWS_MAX) throw tooMuchNews()
      await this.#loadAll(absent)
    }
  }

  /** A large account asks for much: others get their turn in between. */
  async #loadAll(instrumentIds: readonly string[]): Promise<void> {
    this.closes.expect(instrumentIds.length)
    const next = inReads(this.closes, instrumentIds).values()
    const read = async (): Promise<void> => {
      for (const { ids, withUnits } of next) await this.#load(ids, withUnits)
    }
    await Promise.all(Array.from({ length: READS_OF_A_CALL_MAX }, read))
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
    const missing = instrumentIds.filter((id) => !this.#loading.has(id) && !this.closes.has(id))
    if (missing.length > 0) {
      const loading = this.#read(missing, withUnits).finally(() => {
        for (const instrumentId of missing) this.#loading.delete(instrumentId)
      })
      for (const instrumentId of missing) this.#loading.set(instrumentId, loading)
    }
    await Promise.all(new Set(instrumentIds.flatMap((id) => this.#loading.get(id) ?? [])))
  }

  async #read(instrumentIds: readonly string[], withUnits: boolean): Promise<void> {
    const isTurn = this.#turns.take()
    if (isTurn !== undefined) await isTurn
    try {
      const asked = { recordedUntil: undefined, withUnits }
      const histories = await this.#ports.store.closes(instrumentIds, asked)
      this.closes.put(instrumentIds, histories, this.today)
    } finally {
      this.#turns.giveBack()
    }
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
      for (const { ids, withUnits } of inReads(closes, missing)) {
        closes.put(ids, await ports.store.closes(ids, { recordedUntil, withUnits }), today)
      }
    },
  }
}

interface CloseRead {
  readonly ids: readonly string[]
  readonly withUnits: boolean
}

/** Few instruments ever had a split: only theirs are read with what each price is of. */
function inReads(closes: PriceMatrix, instrumentIds: readonly string[]): readonly CloseRead[] {
  const reads: CloseRead[] = []
  for (const withUnits of [false, true]) {
    const wanted = instrumentIds.filter((id) => closes.needsUnits(id) === withUnits)
    for (let from = 0; from < wanted.length; from += INSTRUMENTS_PER_READ) {
      reads.push({ ids: wanted.slice(from, from + INSTRUMENTS_PER_READ), withUnits })
    }
  }
  return reads
}

/** So many at once; the others wait, first come, first served. */
class Turns {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(count: number) {
    this.#free = count
  }

  /** Undefined = at once. */
  take(): Promise<void> | undefined {
    if (this.#free === 0) return new Promise((resolve) => this.#waiting.push(resolve))
    this.#free -= 1
    return undefined
  }

  giveBack(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
