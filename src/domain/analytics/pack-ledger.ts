import { transactionTypes, type TransactionType } from '../portfolio/transaction-types.ts'
import type { Instant } from '../time.ts'
import type { EpochDay } from './epoch-day.ts'
import {
  emptyNumbers,
  entryKinds,
  type LedgerNumbers,
  type PackedLedger,
} from './ledger-numbers.ts'

/** An entry as the ledger keeps it, its decimals as doubles; what is absent is 0, 1 for the factors. */
export interface StoredEntry {
  readonly day: EpochDay
  readonly at: Instant
  readonly type: TransactionType
  readonly instrumentId: string
  readonly quantity: number
  readonly price: number
  readonly isTracked: boolean
  readonly terms: StoredTerms | undefined
}

/** The amounts of the ledger's terms, as texts of decimals. */
export interface StoredTerms {
  readonly amount?: string
  readonly fee?: string
  readonly tax?: string
  readonly currency?: string
  readonly exchangeRate?: string
  readonly priceFactor?: string
  readonly counterCurrency?: string
  readonly counterAmount?: string
  readonly lots?: readonly unknown[]
}

const KINDS: Partial<Record<TransactionType, number>> = {
  TRANSFER_IN: entryKinds.TRANSFER,
  TRANSFER_OUT: entryKinds.TRANSFER,
  DEPOSIT: entryKinds.CASH_FLOW,
  WITHDRAWAL: entryKinds.CASH_FLOW,
  FX_CONVERSION: entryKinds.CONVERSION,
  STAKING_REWARD: entryKinds.UNITS,
  OPTION_EXERCISE: entryKinds.UNITS,
  OPTION_EXPIRY: entryKinds.UNITS,
}

/** Which way units go; an expiry closes what is open, whichever side it is. */
const DIRECTIONS: Partial<Record<TransactionType, 1 | -1 | 'CLOSE'>> = {
  BUY: 1,
  COVER: 1,
  TRANSFER_IN: 1,
  STAKING_REWARD: 1,
  SELL: -1,
  SHORT_SELL: -1,
  TRANSFER_OUT: -1,
  OPTION_EXERCISE: 'CLOSE',
  OPTION_EXPIRY: 'CLOSE',
}

/** Types that are refused where units or lots are missing; a sale goes short instead, as past reads let it. */
const BINDING: ReadonlySet<TransactionType> = new Set<TransactionType>([
  'TRANSFER_IN',
  'TRANSFER_OUT',
  'COVER',
  'OPTION_EXERCISE',
  'OPTION_EXPIRY',
  'RETURN_OF_CAPITAL',
])

/** Turns entries in order of time, reversed ones left out, into numbers. */
export function packLedger(
  entries: readonly StoredEntry[],
): Pick<PackedLedger, 'numbers' | 'instrumentIds' | 'currencies' | 'bindingEntries'> {
  const conversions = entries.reduce(
    (count, { type }) => count + Number(type === 'FX_CONVERSION'),
    0,
  )
  const packing = new Packing(entries.length + conversions)
  for (const entry of entries) packing.add(entry)
  return packing.packed()
}

class Packing {
  readonly #numbers: LedgerNumbers
  readonly #instruments = new Map<string, number>()
  readonly #currencies = new Map([['', 0]])
  readonly #held: number[] = []
  readonly #binding: number[] = []
  #count = 0

  constructor(size: number) {
    this.#numbers = emptyNumbers(size)
  }

  add(entry: StoredEntry): void {
    const at = this.#count
    this.#count += 1
    const { type, terms } = entry
    const numbers = this.#numbers
    const part = this.#partOf(entry.instrumentId)
    numbers.days[at] = entry.day
    numbers.instants[at] = entry.at
    if (BINDING.has(type) || (terms?.lots?.length ?? 0) > 0) this.#binding.push(at)
    numbers.parts[at] = part
    numbers.kinds[at] = KINDS[type] ?? entryKinds.PAID
    numbers.tracked[at] = entry.isTracked ? 1 : 0
    numbers.quantities[at] = this.#change(entry, part)
    numbers.cashCurrencies[at] = this.#currencyOf(terms?.currency ?? '')
    this.#addAmounts(entry, at)
    if (type === 'FX_CONVERSION') this.#addCounter(entry, at)
  }

  #addAmounts({ type, quantity, price, terms }: StoredEntry, at: number): void {
    const numbers = this.#numbers
    const { cash, isTrade, countsAs } = transactionTypes[type]
    const rate = numberOf(terms?.exchangeRate, 1)
    const unitPrice = price * numberOf(terms?.priceFactor, 1)
    const [fee, tax] = [numberOf(terms?.fee, 0), numberOf(terms?.tax, 0)]
    const gross = quantity === 0 ? numberOf(terms?.amount, 0) : quantity * unitPrice
    const amount = gross * cash - fee - tax
    numbers.cashAmounts[at] = amount
    numbers.cash[at] = amount * rate
    numbers.fees[at] = (countsAs === 'fees' ? gross + fee : fee) * rate
    numbers.taxes[at] = (countsAs === 'taxes' ? gross + tax : tax) * rate
    if (isTrade) numbers.prices[at] = unitPrice * rate
  }

  packed(): ReturnType<typeof packLedger> {
    return {
      numbers: this.#numbers,
      instrumentIds: [...this.#instruments.keys()],
      currencies: [...this.#currencies.keys()],
      bindingEntries: Int32Array.from(this.#binding),
    }
  }

  /** The other side of a conversion is an entry of its own. */
  #addCounter({ day, at: instant, terms }: StoredEntry, of: number): void {
    const numbers = this.#numbers
    const at = this.#count
    this.#count += 1
    numbers.days[at] = day
    numbers.instants[at] = instant
    numbers.parts[at] = -1
    numbers.kinds[at] = entryKinds.CONVERSION
    numbers.tracked[at] = numbers.tracked[of] ?? 0
    numbers.cashAmounts[at] = numberOf(terms?.counterAmount, 0)
    numbers.cashCurrencies[at] = this.#currencyOf(terms?.counterCurrency ?? '')
  }

  #change({ type, quantity }: StoredEntry, part: number): number {
    const direction = DIRECTIONS[type]
    if (part < 0 || direction === undefined) return 0
    const held = this.#held[part] ?? 0
    // What seems not to be there came by a corporate action, which goes to who holds.
    const closing = held < 0 ? 1 : -1
    const change = quantity * (direction === 'CLOSE' ? closing : direction)
    this.#held[part] = held + change
    return change
  }

  #partOf(instrumentId: string): number {
    return instrumentId === '' ? -1 : placeOf(this.#instruments, instrumentId)
  }

  #currencyOf(currency: string): number {
    return placeOf(this.#currencies, currency)
  }
}

function placeOf(places: Map<string, number>, name: string): number {
  const known = places.get(name)
  if (known !== undefined) return known
  places.set(name, places.size)
  return places.size - 1
}

function numberOf(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : Number(text)
}
