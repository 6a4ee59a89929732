import type { Instant } from '../time.ts'
import { type Cash, NO_CASH } from './cash.ts'
import type { Book } from './holding.ts'
import type { LotMethod } from './lot-methods.ts'

export interface PortfolioSettings {
  readonly baseCurrency: string
  readonly lotMethod: LotMethod
  /** False: a sale beyond what is held is refused (decision 4). */
  readonly allowShort: boolean
  /** "US", "GB", "DE", "NONE". */
  readonly taxJurisdiction: string
  /** IANA name: which calendar day a trade falls on. */
  readonly timeZone: string
  readonly benchmarkSymbols: readonly string[]
}

/** Everything about one user that a decision needs. Immutable: a change makes a new one. */
export interface PortfolioState {
  readonly userId: string
  /** +1 for each committed request; 0 = never written. */
  readonly version: number
  readonly lastSequence: number
  readonly lastRecordedAt: Instant
  /** Hash of the newest ledger entry: 32 bytes. */
  readonly chainHead: Uint8Array
  readonly settings: PortfolioSettings
  /** By instrument id; instruments that were sold out stay, for their realised result. */
  readonly books: ReadonlyMap<string, Book>
  readonly cash: Cash
}

export const DEFAULT_SETTINGS: PortfolioSettings = {
  baseCurrency: 'USD',
  lotMethod: 'FIFO',
  allowShort: false,
  taxJurisdiction: 'NONE',
  timeZone: 'UTC',
  benchmarkSymbols: [],
}

export const GENESIS_HASH: Uint8Array = new Uint8Array(32)

export function newPortfolio(userId: string): PortfolioState {
  return {
    userId,
    version: 0,
    lastSequence: 0,
    lastRecordedAt: Number.MIN_SAFE_INTEGER,
    chainHead: GENESIS_HASH,
    settings: DEFAULT_SETTINGS,
    books: new Map(),
    cash: NO_CASH,
  }
}

const ETAG = /^"?((\d{1,15})-[0-9a-f]{16})(\.[0-9a-f]{8})?"?$/

/** Names a portfolio's state: version and head of its chain, so that a restored backup cannot collide. */
export function etagOf(state: Pick<PortfolioState, 'version' | 'chainHead'>): string {
  return `${state.version}-${Buffer.from(state.chainHead.subarray(0, 8)).toString('hex')}`
}

/**
 * The state an etag names, without the part that a read adds for its prices, and its version; undefined when it is
 * none of this service's. HTTP's quotes around it are accepted.
 */
export function parseEtag(text: string): { etag: string; version: number } | undefined {
  const match = ETAG.exec(text)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  return { etag: match[1], version: Number(match[2]) }
}

/** The moment a change is recorded at: the order of arrival survives clocks that differ between replicas. */
export function receiptTime({ lastRecordedAt }: PortfolioState, now: Instant): Instant {
  return Math.max(now, lastRecordedAt + 1)
}
