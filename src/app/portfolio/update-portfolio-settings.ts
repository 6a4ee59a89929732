import type { DueActions } from '../../domain/market-data/corporate-actions.ts'
import type { QuoteSource } from '../../domain/market-data/quote.ts'
import { changeSettings, needsRefold } from '../../domain/portfolio/change-settings.ts'
import { etagOf, type PortfolioSettings } from '../../domain/portfolio/state.ts'
import { dueActions } from '../market-data/due-actions.ts'
import type {
  CallContext,
  Clock,
  Decision,
  IdempotencyKey,
  LockedState,
  PortfolioStore,
} from '../ports.ts'
import { etagMismatch } from './etag-mismatch.ts'
import { getPortfolioSettings, type SettingsView } from './get-portfolio-settings.ts'

export interface UpdateSettingsCommand {
  readonly userId: string
  readonly settings: PortfolioSettings
  readonly key: IdempotencyKey | undefined
  readonly ifMatch: string | undefined
}

/**
 * Replaces all settings of a portfolio, and creates it when there is none. Another lot method applies to everything
 * that was recorded.
 * @throws PortfolioError BASE_CURRENCY_FIXED, ETAG_MISMATCH, or what the recorded transactions do not allow.
 */
export async function updatePortfolioSettings(
  ports: {
    readonly clock: Clock
    readonly portfolios: PortfolioStore
    readonly quotes: QuoteSource
  },
  command: UpdateSettingsCommand,
  call: CallContext,
): Promise<SettingsView> {
  const due = dueActions(ports.quotes, ports.clock.now())
  const outcome = await ports.portfolios.change<SettingsView>({
    userId: command.userId,
    instrumentIds: 'all',
    entryCount: 0,
    key: command.key,
    externalIds: [],
    call,
    decide: (locked) => decideSettings({ ...command, due }, locked, ports.clock),
  })
  return outcome.answer ?? (await getPortfolioSettings(ports, command.userId, call))
}

function decideSettings(
  command: UpdateSettingsCommand & { readonly due: DueActions },
  { state, histories }: LockedState,
  clock: Clock,
): Decision<SettingsView> {
  if (command.ifMatch !== undefined && command.ifMatch !== etagOf(state)) {
    return { kind: 'refuse', error: etagMismatch(state) }
  }
  const { settings, due } = command
  if (needsRefold(state, settings) && histories.ledger === undefined) {
    return { kind: 'needs-history', instrumentIds: [], wholeLedger: true }
  }
  const ledger = histories.ledger ?? []
  const change = changeSettings(state, settings, { ledger, now: clock.now(), due })
  if (change instanceof Error) return { kind: 'refuse', error: change }
  return { kind: 'accept', change, answer: { settings, etag: etagOf(change.after) } }
}
