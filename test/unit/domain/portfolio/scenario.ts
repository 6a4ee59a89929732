import { decimal, decimalText } from '../../../../src/domain/decimal.ts'
import type { PortfolioError } from '../../../../src/domain/errors.ts'
import { CorporateActions } from '../../../../src/domain/market-data/corporate-actions.ts'
import type { Quote, QuoteSource } from '../../../../src/domain/market-data/quote.ts'
import type { Holding } from '../../../../src/domain/portfolio/holding.ts'
import { changeSettings } from '../../../../src/domain/portfolio/change-settings.ts'
import type { PortfolioChange } from '../../../../src/domain/portfolio/portfolio-change.ts'
import {
  type Histories,
  type NeededHistory,
  NO_HISTORIES,
  type Recording,
  recordTransactions,
} from '../../../../src/domain/portfolio/record-transactions.ts'
import {
  newPortfolio,
  type PortfolioSettings,
  type PortfolioState,
} from '../../../../src/domain/portfolio/state.ts'
import {
  compareEntries,
  type LedgerEntry,
  type TransactionDraft,
} from '../../../../src/domain/portfolio/transaction.ts'
import type { TransactionType } from '../../../../src/domain/portfolio/transaction-types.ts'
import { type Valuation, valuePortfolio } from '../../../../src/domain/portfolio/valuation.ts'
import type { Instant } from '../../../../src/domain/time.ts'
import { StoredRows } from './stored-rows.ts'

/** 2024-01-01T00:00:00Z, the server's clock when a scenario begins. */
export const NOW: Instant = 1_704_067_200_000_000

/** `seconds` after 2020-01-01T00:00:00Z. */
export function at(seconds: number): Instant {
  return 1_577_836_800_000_000 + seconds * 1_000_000
}

type Where = Partial<Pick<TransactionDraft, 'instrumentId' | 'accountId'>>

function drafting(type: TransactionType) {
  return (
    quantity: string,
    price: string,
    seconds?: number,
    where: Where = {},
  ): TransactionDraft => ({
    instrumentId: 'ACME',
    accountId: '',
    ...where,
    type,
    quantity: decimal(quantity),
    price: decimal(price),
    effectiveAt: seconds === undefined ? undefined : at(seconds),
  })
}

export const buy = drafting('BUY')
export const sell = drafting('SELL')
export const transferIn = drafting('TRANSFER_IN')
const leaving = drafting('TRANSFER_OUT')

export function transferOut(quantity: string, seconds?: number, where: Where = {}) {
  return leaving(quantity, '0', seconds, where)
}

/** A portfolio fed as the store feeds it: whole ledgers when they are asked for, rows kept as the changes say. */
export class Scenario {
  readonly ledger: LedgerEntry[] = []
  readonly rows = new StoredRows()
  state: PortfolioState
  now = NOW
  /** What is known of corporate actions. */
  actions = CorporateActions.none

  constructor(settings: Partial<PortfolioSettings> = {}) {
    const empty = newPortfolio('user-1')
    this.state = { ...empty, settings: { ...empty.settings, ...settings } }
  }

  /** One request, a second after the one before it. */
  request(...drafts: readonly TransactionDraft[]): Recording {
    this.now += 1_000_000
    let outcome = this.#record(drafts, NO_HISTORIES)
    if (outcome.kind === 'needs-history') outcome = this.#record(drafts, this.#read(outcome))
    if (outcome.kind === 'recorded') this.#apply(outcome.change)
    return outcome
  }

  /** Replaces some of the settings, and gives the change or what refused it. */
  change(settings: Partial<PortfolioSettings>): PortfolioChange | PortfolioError {
    this.now += 1_000_000
    const all = { ...this.state.settings, ...settings }
    const ledger = this.ledger.toSorted(compareEntries)
    const outcome = changeSettings(this.state, all, { ledger, now: this.now, due: this.#due })
    if (!(outcome instanceof Error)) this.#apply(outcome)
    return outcome
  }

  record(...drafts: readonly TransactionDraft[]): PortfolioChange {
    const outcome = this.request(...drafts)
    if (outcome.kind === 'recorded') return outcome.change
    throw outcome.kind === 'refused' ? outcome.error : new Error('asked twice for a history')
  }

  refuse(...drafts: readonly TransactionDraft[]): PortfolioError {
    const outcome = this.request(...drafts)
    if (outcome.kind !== 'refused') throw new Error(`${outcome.kind}, not refused`)
    return outcome.error
  }

  holding(accountId = '', instrumentId = 'ACME'): Holding {
    const holding = this.state.books.get(instrumentId)?.get(accountId)
    if (holding === undefined) throw new Error('nothing held')
    return holding
  }

  /** Open lots as "quantity for basis". */
  lots(accountId = '', instrumentId = 'ACME'): readonly string[] {
    return (this.holding(accountId, instrumentId).lots ?? []).map(
      ({ quantity, basis }) =>
        `${decimalText(quantity)} for ${basis === null ? 'unknown' : decimalText(basis)}`,
    )
  }

  /** Values the portfolio at these prices, quoted this moment. */
  value(prices: Readonly<Record<string, string>>): Valuation {
    const quotes = Object.entries(prices).map(([instrumentId, price]) =>
      quote(instrumentId, price, { pricedAt: this.now }),
    )
    const source = { ...quoteSource(...quotes), actions: this.actions }
    return valuePortfolio(this.state, source, this.now)
  }

  get #due() {
    return this.actions.dueAt(this.now)
  }

  #apply(change: PortfolioChange): void {
    this.state = change.after
    this.ledger.push(...change.entries.map(({ entry }) => entry))
    this.rows.apply(change)
  }

  #read({ instrumentIds, wholeLedger }: NeededHistory): Histories {
    const ledger = this.ledger.toSorted(compareEntries)
    if (wholeLedger) return { books: new Map(), ledger }
    const books = new Map(
      instrumentIds.map((id) => [id, ledger.filter((entry) => entry.instrumentId === id)]),
    )
    return { books, ledger: undefined }
  }

  #record(drafts: readonly TransactionDraft[], histories: Histories): Recording {
    return recordTransactions(this.state, drafts, {
      now: this.now,
      requestId: `request-${this.state.version + 1}`,
      histories,
      due: this.#due,
    })
  }
}

export function quote(instrumentId: string, price: string, facts: Partial<Quote> = {}): Quote {
  return {
    instrumentId,
    price: decimal(price),
    currency: '',
    pricedAt: NOW,
    source: 'exchange',
    kind: 'REALTIME',
    splitAdjusted: false,
    ...facts,
  }
}

export function quoteSource(...quotes: readonly Quote[]): QuoteSource {
  return {
    latest: (instrumentId) => quotes.find((candidate) => candidate.instrumentId === instrumentId),
  }
}
