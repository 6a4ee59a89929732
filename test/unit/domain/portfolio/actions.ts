import { type Decimal, decimal, decimalText, ZERO } from '../../../../src/domain/decimal.ts'
import type {
  ActionTerms,
  CorporateAction,
} from '../../../../src/domain/market-data/corporate-action.ts'
import { CorporateActions } from '../../../../src/domain/market-data/corporate-actions.ts'
import { foldDue, staleInstruments } from '../../../../src/domain/portfolio/linked-fold.ts'
import type { Quality } from '../../../../src/domain/portfolio/quality.ts'
import { compareEntries } from '../../../../src/domain/portfolio/transaction.ts'
import { at, NOW, Scenario } from './scenario.ts'
import { plain } from './stored-rows.ts'

/** An action of ACME that comes into force `seconds` after 2020-01-01T00:00:00Z. */
export function action(
  actionId: number,
  seconds: number,
  terms: ActionTerms,
  facts: Partial<CorporateAction> = {},
): CorporateAction {
  return {
    actionId,
    instrumentId: 'ACME',
    exDay: '2020-01-01',
    effectiveAt: at(seconds),
    terms,
    recordedAt: NOW + actionId,
    reversedAt: undefined,
    epoch: actionId,
    ...facts,
  }
}

export function known(...actions: readonly CorporateAction[]): CorporateActions {
  const epoch = actions.reduce((newest, one) => Math.max(newest, one.epoch), 0)
  return CorporateActions.none.with(actions, epoch)
}

/** The scenario's clock learns of these actions besides. */
export function learn(scenario: Scenario, ...actions: readonly CorporateAction[]): void {
  const epoch = actions.reduce((newest, one) => Math.max(newest, one.epoch), scenario.actions.epoch)
  scenario.actions = scenario.actions.with(actions, epoch)
}

export function split(numerator: number, denominator: number): ActionTerms {
  return { kind: 'SPLIT', numerator: decimal(numerator), denominator: decimal(denominator) }
}

export function spinOff(newInstrumentId: string, ratio: string, fraction: string): ActionTerms {
  const basisFraction = decimal(fraction)
  return { kind: 'SPIN_OFF', newInstrumentId, ratio: decimal(ratio), basisFraction }
}

const paying = (amount: string, currency = '', rates: Record<string, Decimal> = {}) => ({
  perUnit: decimal(amount),
  currency,
  rates,
})

/** An empty instrument is for cash alone, an empty amount for units alone. */
export function merger(newInstrumentId: string, ratio: string, cash = ''): ActionTerms {
  return {
    kind: 'MERGER',
    newInstrumentId,
    ratio: ratio === '' ? ZERO : decimal(ratio),
    cash: cash === '' ? undefined : paying(cash),
  }
}

export function dividend(
  amount: string,
  facts: {
    readonly currency?: string
    readonly rates?: Record<string, Decimal>
    readonly returnOfCapital?: boolean
  } = {},
): ActionTerms {
  const { currency, rates, returnOfCapital = false } = facts
  return {
    kind: 'CASH_DIVIDEND',
    payment: paying(amount, currency, rates),
    payDay: '',
    returnOfCapital,
  }
}

/** What a read shows of the scenario: the state with the actions that are in force. */
export function read(scenario: Scenario): Scenario {
  const due = scenario.actions.dueAt(scenario.now)
  const stale = staleInstruments(scenario.state, due)
  const ledger = scenario.ledger.toSorted(compareEntries)
  const seen = new Scenario()
  seen.now = scenario.now
  seen.actions = scenario.actions
  seen.state = stale.size === 0 ? scenario.state : foldDue(scenario.state, { stale, ledger }, due)
  return seen
}

export function said(seen: Scenario): Quality {
  return seen.value({ ACME: '3' }).quality
}

export function balances({ state }: Scenario): unknown {
  return plain(state.cash.balances)
}

export function totals(scenario: Scenario, instrumentId = 'ACME'): readonly string[] {
  const { quantity, basis, realized, income } = scenario.holding('', instrumentId)
  return [quantity, basis, realized, income].map(decimalText)
}
