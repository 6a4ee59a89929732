import {
  type ActionTerms,
  compareActions,
  type CorporateAction,
} from '../market-data/corporate-action.ts'
import type { CorporateActions, DueActions } from '../market-data/corporate-actions.ts'
import { priceInLastUnits } from '../market-data/paired-quote.ts'
import type { Instant } from '../time.ts'
import { type ActionNumbers, actionNumbers, rateOfPayment } from './action-numbers.ts'
import { dayNumberOf } from './epoch-day.ts'
import {
  copyEntries,
  emptyNumbers,
  entryKinds,
  type LedgerNumbers,
  type PackedLedger,
  UNITS_ROUNDING,
} from './ledger-numbers.ts'

/** A ledger with what corporate actions did among its entries, and instruments of which an action is not in it. */
export interface ActedLedger {
  readonly ledger: PackedLedger
  readonly leftOut: ReadonlySet<string>
}

export interface KnownActions {
  /** All that are known, those to come included. */
  readonly actions: CorporateActions
  /** Those of them that are in force. */
  readonly due: DueActions
}

/** What of them goes with what was recorded (`withFittingActions`). */
export interface FittingActions {
  readonly fitting: DueActions
  /** Instruments whose holdings are not what their actions say. */
  readonly leftOut: ReadonlySet<string>
}

/** How an action stands: in force and taken into account, or only one of them. */
interface Standing {
  readonly isInForce: boolean
  readonly fits: boolean
}

const NONE: ReadonlySet<string> = new Set()

/** Entries that one action makes at most: money, units that go and units that come. */
const ENTRIES_PER_ACTION = 3
/** Actions that change how many units are held, of what. */
const CHANGES_UNITS: ReadonlySet<ActionTerms['kind']> = new Set<ActionTerms['kind']>([
  'SPLIT',
  'SPIN_OFF',
  'MERGER',
])

/**
 * Puts what corporate actions did between the entries of a ledger, in the order of `ActionFold` (decisions 28, 29):
 * an action comes before the entries of its very moment. All units become those after the last split that is recorded,
 * as the closes of a price matrix are: a split is no entry then. How many units are held is linear in what was traded,
 * whatever account and lot they are in, so that totals of an instrument are enough. Those that are due and do not fit
 * change nothing, and those that were taken back and have to be in still do.
 */
export function foldActions(
  ledger: PackedLedger,
  { actions, due }: KnownActions,
  { fitting, leftOut }: FittingActions = { fitting: due, leftOut: NONE },
): ActedLedger {
  const { instrumentIds } = ledger
  if (!instrumentIds.some((id) => actions.of(id).length > 0)) {
    return { ledger, leftOut: new Set() }
  }
  const inForce = new Set(actionsOf(ledger, due))
  const fit = fitting === due ? inForce : new Set(actionsOf(ledger, fitting))
  const all = [...new Set([...inForce, ...fit])].toSorted(compareActions)
  const walk = new ActionWalk(ledger, actions, all.length)
  for (const action of all) {
    walk.act(action, { isInForce: inForce.has(action), fits: fit.has(action) })
  }
  return walk.finish(leftOut)
}

/** True where an action that changes units stands, or stood, before an entry that needs some: the exact fold has to tell. */
export function needsExactFold(
  { numbers, bindingEntries, instrumentIds }: PackedLedger,
  due: DueActions,
): boolean {
  if (due.isEmpty) return false
  return bindingEntries.some((entry) => {
    const instrumentId = instrumentIds[numbers.parts[entry] ?? -1]
    if (instrumentId === undefined) return false
    const at = numbers.instants[entry] ?? 0
    return due.ever(instrumentId).some(({ effectiveAt, terms }) => {
      return effectiveAt <= at && CHANGES_UNITS.has(terms.kind)
    })
  })
}

function actionsOf({ instrumentIds }: PackedLedger, due: DueActions): readonly CorporateAction[] {
  if (due.isEmpty) return []
  const linked = new Set(instrumentIds.flatMap((id) => due.linked(id)))
  return [...linked].flatMap((id) => due.of(id)).toSorted(compareActions)
}

type Rule = (walk: ActionWalk, action: CorporateAction, numbers: ActionNumbers) => void

class ActionWalk {
  /** The same rules as the exact fold's, on totals (`action-effects.ts`). */
  static readonly #rules: Record<Exclude<ActionTerms['kind'], 'SPLIT' | 'SYMBOL_CHANGE'>, Rule> = {
    CASH_DIVIDEND: (walk, action) => walk.#pay(action, 0),
    SPIN_OFF: (walk, action, numbers) => walk.#pass(action, numbers, 0),
    MERGER: (walk, action, numbers) => {
      const part = walk.#partOf(action.instrumentId)
      const leaving = -(walk.#held[part] ?? 0)
      walk.#pay(action, numbers.targetId === '' ? leaving : 0)
      if (numbers.targetId !== '') walk.#pass(action, numbers, leaving)
    },
  }

  readonly #ledger: PackedLedger
  readonly #actions: CorporateActions
  readonly #to: LedgerNumbers
  readonly #parts: Map<string, number>
  readonly #currencies: Map<string, number>
  /** By part: units held, and how many of them one unit of the moment is. */
  readonly #held: number[] = []
  readonly #scales: number[] = []
  readonly #scalesElsewhere = new Map<string, number>()
  readonly #trades: number[] = []
  readonly #leftOut = new Set<string>()
  readonly #trackedSince: Instant
  #next = 0
  #count = 0

  constructor(ledger: PackedLedger, actions: CorporateActions, count: number) {
    this.#ledger = ledger
    this.#actions = actions
    this.#to = emptyNumbers(ledger.numbers.days.length + count * ENTRIES_PER_ACTION)
    this.#parts = new Map(ledger.instrumentIds.map((id, part) => [id, part]))
    this.#currencies = new Map(ledger.currencies.map((currency, place) => [currency, place]))
    for (const id of ledger.instrumentIds) this.#scales.push(scaleOf(actions, id))
    const { kinds, instants } = ledger.numbers
    const first = kinds.indexOf(entryKinds.CASH_FLOW)
    this.#trackedSince = first < 0 ? Infinity : (instants[first] ?? Infinity)
  }

  act(action: CorporateAction, standing: Standing): void {
    this.#copyUntil(action.effectiveAt)
    const { instrumentId, terms } = action
    if (terms.kind === 'SPLIT') {
      this.#split(action, standing)
      return
    }
    const part = this.#parts.get(instrumentId) ?? -1
    if (terms.kind === 'SYMBOL_CHANGE' || (this.#held[part] ?? 0) === 0) return
    const isUnrated = Number.isNaN(this.#rateOf(action))
    if (isUnrated) this.#leftOut.add(instrumentId)
    if (!standing.fits) return
    // Without a rate its worth is unknown, and nothing is guessed: a dividend is money of its own currency alone.
    if (!isUnrated || terms.kind === 'CASH_DIVIDEND')
      ActionWalk.#rules[terms.kind](this, action, actionNumbers(action))
  }

  finish(leftOut: ReadonlySet<string>): ActedLedger {
    this.#copyUntil(Number.POSITIVE_INFINITY)
    const numbers = emptyNumbers(this.#count)
    copyEntries(this.#to, [0, this.#count], numbers, 0)
    return {
      ledger: {
        ...this.#ledger,
        numbers,
        instrumentIds: [...this.#parts.keys()],
        currencies: [...this.#currencies.keys()],
      },
      leftOut: new Set([...this.#leftOut, ...[...leftOut].filter((id) => this.#parts.has(id))]),
    }
  }

  #rateOf(action: CorporateAction): number {
    return rateOfPayment(action, this.#ledger.baseCurrency)
  }

  /** Takes over the entries before a moment, in the last units. */
  #copyUntil(until: Instant): void {
    const { numbers } = this.#ledger
    const start = this.#next
    while (this.#next < numbers.days.length && (numbers.instants[this.#next] ?? 0) < until) {
      this.#next += 1
    }
    copyEntries(numbers, [start, this.#next], this.#to, this.#count)
    const end = this.#count + this.#next - start
    for (; this.#count < end; this.#count += 1) this.#scale(this.#count)
  }

  #scale(entry: number): void {
    const { parts, quantities, prices } = this.#to
    const part = parts[entry] ?? -1
    if (part < 0) return
    const scale = this.#scales[part] ?? 1
    const quantity = (quantities[entry] ?? 0) * scale
    const price = (prices[entry] ?? NaN) / scale
    quantities[entry] = quantity
    prices[entry] = price
    if (!Number.isNaN(price)) this.#trades[part] = price
    this.#move(part, quantity)
  }

  #move(part: number, change: number): void {
    const after = (this.#held[part] ?? 0) + change
    this.#held[part] = Math.abs(after) < UNITS_ROUNDING * Math.abs(change) ? 0 : after
  }

  /**
   * In the last units it changes nothing. Left out, what is held is fewer of them, each worth more; taken back, and in all
   * the same, it is more of them.
   */
  #split(action: CorporateAction, { isInForce, fits }: Standing): void {
    const { instrumentId, effectiveAt } = action
    const { ratio } = actionNumbers(action)
    const part = this.#parts.get(instrumentId)
    if (part === undefined) {
      if (!isInForce) return
      this.#scalesElsewhere.set(instrumentId, this.#scaleElsewhere(instrumentId) / ratio)
      return
    }
    if (isInForce) this.#scales[part] = (this.#scales[part] ?? 1) / ratio
    if (isInForce === fits) return
    const held = this.#held[part] ?? 0
    const factor = fits ? ratio : 1 / ratio
    const price = (this.#trades[part] ?? NaN) / factor
    this.#trades[part] = price
    this.#add(effectiveAt, { part, quantity: held * factor - held, price })
  }

  /** Money for what is held, of which `leaving` units go with it. */
  #pay(action: CorporateAction, leaving: number): void {
    const { perUnit, currency } = actionNumbers(action)
    const part = this.#partOf(action.instrumentId)
    const amount = this.#unitsNow(part) * perUnit
    if (amount === 0 && leaving === 0) return
    const { baseCurrency } = this.#ledger
    const at = this.#add(action.effectiveAt, { part, quantity: leaving })
    const to = this.#to
    to.kinds[at] = entryKinds.PAID
    const rate = this.#rateOf(action)
    to.cash[at] = Number.isNaN(rate) ? 0 : amount * rate
    to.cashAmounts[at] = amount
    to.cashCurrencies[at] = placeOf(this.#currencies, currency === baseCurrency ? '' : currency)
  }

  /** Units of the target for what is held, of which `leaving` units go. */
  #pass(action: CorporateAction, { ratio, targetId }: ActionNumbers, leaving: number): void {
    const part = this.#partOf(action.instrumentId)
    const units = this.#unitsNow(part) * ratio
    const target = this.#partOf(targetId)
    this.#add(action.effectiveAt, { part, quantity: leaving })
    const quantity = units * (this.#scales[target] ?? 1)
    const at = this.#add(action.effectiveAt, { part: target, quantity })
    this.#to.kinds[at] = entryKinds.PASSED
  }

  /** How many units of the moment are held. */
  #unitsNow(part: number): number {
    return (this.#held[part] ?? 0) / (this.#scales[part] ?? 1)
  }

  #add(
    instant: Instant,
    { part, quantity, price = NaN }: { part: number; quantity: number; price?: number },
  ): number {
    const to = this.#to
    const at = this.#count
    this.#count += 1
    to.days[at] = dayNumberOf(instant, this.#ledger.timeZone)
    to.instants[at] = instant
    to.parts[at] = part
    to.kinds[at] = entryKinds.UNITS
    to.tracked[at] = Number(instant >= this.#trackedSince)
    to.quantities[at] = quantity
    to.prices[at] = price
    this.#move(part, quantity)
    return at
  }

  #partOf(instrumentId: string): number {
    const part = placeOf(this.#parts, instrumentId)
    if (part === this.#scales.length) this.#scales.push(this.#scaleElsewhere(instrumentId))
    return part
  }

  /** Of an instrument that nothing was held of so far. */
  #scaleElsewhere(instrumentId: string): number {
    return this.#scalesElsewhere.get(instrumentId) ?? scaleOf(this.#actions, instrumentId)
  }
}

/** Last units that one unit of the very beginning is. */
function scaleOf(actions: CorporateActions, instrumentId: string): number {
  return 1 / priceInLastUnits(actions.of(instrumentId), Number.NEGATIVE_INFINITY)
}

function placeOf(places: Map<string, number>, name: string): number {
  const known = places.get(name)
  if (known !== undefined) return known
  places.set(name, places.size)
  return places.size - 1
}
