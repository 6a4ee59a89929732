import type { Instant } from '../time.ts'
import { compareActions, type CorporateAction, paymentOf, targetOf } from './corporate-action.ts'

const NOTHING: readonly CorporateAction[] = []

/** Actions that are effective by a moment. A view of one moment never changes. */
export interface DueActions {
  readonly isEmpty: boolean
  /** When the last of them came into force. */
  readonly since: Instant
  /**
   * How often actions of an instrument came into force or were taken back: what `Holding.actionEpoch` counts. It only
   * grows, with what is recorded and with time.
   */
  countOf(instrumentId: string): number
  /** Those of an instrument that count, in the order in which they work. */
  of(instrumentId: string): readonly CorporateAction[]
  /** The instrument, and all that units of it can have come from or gone to: they are folded together. */
  linked(instrumentId: string): readonly string[]
  /** Those of the instrument and of all linked to it, the ones taken back too. */
  ever(instrumentId: string): readonly CorporateAction[]
}

export const NO_ACTIONS: DueActions = {
  isEmpty: true,
  since: Number.NEGATIVE_INFINITY,
  countOf: () => 0,
  of: () => NOTHING,
  linked: (instrumentId) => [instrumentId],
  ever: () => NOTHING,
}

/** As if of some instruments nothing were known that was recorded or taken back after a number; counts stay. */
export function knownByNumber(due: DueActions, numbers: ReadonlyMap<string, number>): DueActions {
  return withActions(due, (id) => {
    const number = numbers.get(id)
    if (number === undefined) return due.of(id)
    return due
      .ever(id)
      .filter(({ instrumentId, actionId }) => instrumentId === id && actionId <= number)
      .filter(({ reversedAt, epoch }) => reversedAt === undefined || epoch > number)
  })
}

/** With other actions in place of those that count. */
export function withActions(due: DueActions, of: DueActions['of']): DueActions {
  return {
    isEmpty: due.isEmpty,
    since: due.since,
    countOf: (instrumentId) => due.countOf(instrumentId),
    of,
    linked: (instrumentId) => due.linked(instrumentId),
    ever: (instrumentId) => due.ever(instrumentId),
  }
}

/** Up to where somebody was told of corporate actions. */
export interface ActionMark {
  readonly epoch: number
  readonly at: Instant
}

interface View {
  readonly view: DueActions
  /** When the next action comes into force. */
  readonly until: Instant
}

/** Views that are kept: the present's is asked for by every read and write. */
const VIEWS_MAX = 8

/** All corporate actions that are known. Immutable: what is recorded makes a new one. */
export class CorporateActions {
  static readonly none = new CorporateActions(new Map(), 0)

  /** Grows with each record and each reversal: of all that are known, the newest's number. */
  readonly epoch: number
  readonly #byInstrument: ReadonlyMap<string, readonly CorporateAction[]>
  #links: ReadonlyMap<string, ReadonlySet<string>> | undefined
  /** The ones asked for last. */
  #views: readonly View[] = []

  constructor(byInstrument: ReadonlyMap<string, readonly CorporateAction[]>, epoch: number) {
    this.#byInstrument = byInstrument
    this.epoch = epoch
  }

  /** With these in place of what was known of them. */
  with(changed: readonly CorporateAction[], epoch: number): CorporateActions {
    const byInstrument = new Map(this.#byInstrument)
    for (const action of changed) {
      const known = byInstrument.get(action.instrumentId) ?? NOTHING
      const others = known.filter(({ actionId }) => actionId !== action.actionId)
      byInstrument.set(action.instrumentId, [...others, action].toSorted(compareActions))
    }
    return new CorporateActions(byInstrument, epoch)
  }

  /** What was known at a moment. */
  knownAt(recordedUntil: Instant): CorporateActions {
    const known = new Map<string, readonly CorporateAction[]>()
    let epoch = 0
    for (const [instrumentId, actions] of this.#byInstrument) {
      const then = actions
        .filter(({ recordedAt }) => recordedAt <= recordedUntil)
        .map((action) => asKnownAt(action, recordedUntil))
      if (then.length > 0) known.set(instrumentId, then)
      for (const action of then) epoch = Math.max(epoch, action.epoch)
    }
    return new CorporateActions(known, epoch)
  }

  of(instrumentId: string): readonly CorporateAction[] {
    return this.#byInstrument.get(instrumentId) ?? NOTHING
  }

  all(): readonly CorporateAction[] {
    return [...this.#byInstrument.values()].flat()
  }

  /**
   * The one view serves until the next action comes into force. Whoever asks for other moments in between does not take
   * it away: what was folded for it would be folded again.
   */
  dueAt(now: Instant): DueActions {
    if (this.#byInstrument.size === 0) return NO_ACTIONS
    const known = this.#views.find(({ view, until }) => now >= view.since && now < until)
    if (known !== undefined && known === this.#views[0]) return known.view
    const asked = known ?? this.#viewAt(now)
    const others = this.#views.filter((other) => other !== known)
    this.#views = [asked, ...others].slice(0, VIEWS_MAX)
    return asked.view
  }

  #viewAt(now: Instant): View {
    let since = Number.NEGATIVE_INFINITY
    let until = Number.POSITIVE_INFINITY
    for (const { effectiveAt } of this.all()) {
      if (effectiveAt <= now) since = Math.max(since, effectiveAt)
      else until = Math.min(until, effectiveAt)
    }
    return { until, view: new Due(this, now, since) }
  }

  /** True where any action was recorded, taken back or came into force since a mark. */
  isNews({ epoch, at }: ActionMark, now: Instant): boolean {
    return this.epoch !== epoch || this.dueAt(now).since > at
  }

  /** True where an action of the instrument was recorded, taken back or came into force since a mark. */
  hasChanged(instrumentId: string, { epoch, at }: ActionMark, now: Instant): boolean {
    return this.of(instrumentId).some(
      (action) => action.effectiveAt <= now && (action.epoch > epoch || action.effectiveAt > at),
    )
  }

  linksOf(instrumentId: string): ReadonlySet<string> | undefined {
    this.#links ??= linksAmong(this.all())
    return this.#links.get(instrumentId)
  }
}

function asKnownAt(action: CorporateAction, recordedUntil: Instant): CorporateAction {
  const { reversedAt, actionId } = action
  if (reversedAt === undefined || reversedAt <= recordedUntil) return action
  return { ...action, reversedAt: undefined, epoch: actionId }
}

function linksAmong(actions: readonly CorporateAction[]): ReadonlyMap<string, ReadonlySet<string>> {
  const links = new Map<string, Set<string>>()
  const link = (from: string, to: string): void => {
    const known = links.get(from)
    if (known === undefined) links.set(from, new Set([to]))
    else known.add(to)
  }
  for (const action of actions) {
    const target = targetOf(action)
    if (target === undefined) continue
    link(action.instrumentId, target)
    link(target, action.instrumentId)
  }
  return links
}

class Due implements DueActions {
  readonly isEmpty = false
  readonly since: Instant
  readonly #actions: CorporateActions
  readonly #now: Instant
  readonly #found = new Map<
    string,
    { readonly count: number; readonly active: readonly CorporateAction[] }
  >()

  constructor(actions: CorporateActions, now: Instant, since: Instant) {
    this.since = since
    this.#actions = actions
    this.#now = now
  }

  countOf(instrumentId: string): number {
    return this.#find(instrumentId).count
  }

  of(instrumentId: string): readonly CorporateAction[] {
    return this.#find(instrumentId).active
  }

  linked(instrumentId: string): readonly string[] {
    const found = new Set([instrumentId])
    for (const one of found) {
      for (const other of this.#actions.linksOf(one) ?? []) found.add(other)
    }
    return [...found]
  }

  ever(instrumentId: string): readonly CorporateAction[] {
    return this.linked(instrumentId).flatMap((id) => this.#dueOf(id))
  }

  #dueOf(instrumentId: string): readonly CorporateAction[] {
    return this.#actions.of(instrumentId).filter(({ effectiveAt }) => effectiveAt <= this.#now)
  }

  #find(instrumentId: string) {
    let found = this.#found.get(instrumentId)
    if (found === undefined) {
      const due = this.#dueOf(instrumentId)
      const active = due.filter(({ reversedAt }) => reversedAt === undefined)
      found = { count: 2 * due.length - active.length, active }
      this.#found.set(instrumentId, found)
    }
    return found
  }
}

/** True when any of them, taken back or not, pays money. */
export function everPaid(actions: readonly CorporateAction[], since: Instant): boolean {
  return actions.some((action) => action.effectiveAt >= since && paymentOf(action) !== undefined)
}
