import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ListActionsQuery } from '../app/market-data/list-corporate-actions.ts'
import type { RecordActionCommand, SentTerms } from '../app/market-data/record-corporate-action.ts'
import type { ActionRequest, CallContext } from '../app/ports.ts'
import { decimal, decimalText, ONE, ZERO } from '../domain/decimal.ts'
import { invalidRequest, type Violation } from '../domain/errors.ts'
import type { ActionTerms, CorporateAction } from '../domain/market-data/corporate-action.ts'
import { isMinorUnit } from '../domain/market-data/minor-unit.ts'
import { canonicalSymbol } from '../domain/market-data/symbol.ts'
import { isDay, isExactDay } from '../domain/portfolio/calendar-day.ts'
import {
  type ListCorporateActionsRequest,
  MarketDataService,
  type RecordCorporateActionRequest,
  type RecordCorporateActionRequest_CashDividend as SentDividend,
  type RecordCorporateActionRequest_Merger as SentMerger,
  type RecordCorporateActionRequestSchema,
  type RecordedCorporateActionSchema,
  type ReverseCorporateActionRequest,
} from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { FieldReader } from './field-reader.ts'
import { keyOf } from './idempotency-key.ts'
import { timestampOf } from './instant.ts'
import { readPlace, readSize, tokenOfPlace } from './pages.ts'
import { SYMBOL_PROBLEM } from './violations.ts'

const SPLIT_PART_MAX = 1_000_000n
const REQUEST_ID = /^[\x20-\x7e]{0,128}$/
const ACTION_ID = /^[1-9]\d{0,14}$/
const REASON_LENGTH_MAX = 256
const PLACE = /^a (\d{1,15})$/
const { recordCorporateAction, reverseCorporateAction } = MarketDataService.method

type Sent = RecordCorporateActionRequest['action']

/** @throws PortfolioError with everything that is wrong with the request. */
export function readAction(
  request: RecordCorporateActionRequest,
  { caller }: CallContext,
): RecordActionCommand {
  const violations: Violation[] = []
  const instrumentId = readInstrument('instrument_id', request.instrumentId, violations)
  const { exDate } = request
  if (!isExactDay(exDate)) {
    const description = 'must be a day such as 2024-02-29'
    violations.push({ field: 'ex_date', reason: 'DATE_INVALID', description })
  }
  const terms = readTerms(request.action, violations)
  if (terms !== undefined && 'newInstrumentId' in terms && terms.newInstrumentId === instrumentId) {
    const description = 'must be another instrument'
    violations.push({ field: 'new_instrument_id', reason: 'ACTION_INVALID', description })
  }
  const hash = keyOf(request.requestId, recordCorporateAction, request)?.contentHash
  const key = readRequest(request.requestId, { caller, hash }, violations)
  if (violations.length > 0 || terms === undefined) throw invalidRequest(violations)
  return { instrumentId, exDay: exDate, terms, request: key }
}

function readInstrument(field: string, text: string, violations: Violation[]): string {
  const symbol = canonicalSymbol(text)
  if (symbol === undefined) violations.push({ field, ...SYMBOL_PROBLEM })
  return symbol ?? ''
}

function readRequest(
  requestId: string,
  { caller, hash }: { readonly caller: string; readonly hash: Uint8Array | undefined },
  violations: Violation[],
): ActionRequest {
  if (!REQUEST_ID.test(requestId)) {
    const description = 'must be at most 128 printable ASCII characters'
    violations.push({ field: 'request_id', reason: 'IDEMPOTENCY_KEY_INVALID', description })
  }
  return { caller, requestId, contentHash: hash ?? new Uint8Array() }
}

function readTerms(action: Sent, violations: Violation[]): SentTerms | undefined {
  switch (action.case) {
    case 'split':
      return readSplit(action.value, violations)
    case 'symbolChange': {
      const { newSymbol } = action.value
      const symbol = readInstrument('symbol_change.new_symbol', newSymbol, violations)
      return { kind: 'SYMBOL_CHANGE', newSymbol: symbol }
    }
    case 'spinOff': {
      const reader = new FieldReader('spin_off', violations)
      const { newInstrumentId, ratio, basisFraction } = action.value
      const fraction = reader.amount('basis_fraction', basisFraction, 'ACTION_INVALID')
      if (basisFraction === '' || fraction?.greaterThan(ONE)) {
        reader.refuse('basis_fraction', {
          reason: 'ACTION_INVALID',
          description: 'must be from 0 to 1',
        })
      }
      return {
        kind: 'SPIN_OFF',
        newInstrumentId: readInstrument('spin_off.new_instrument_id', newInstrumentId, violations),
        ratio: reader.positive('ratio', ratio, 'ACTION_INVALID'),
        basisFraction: fraction ?? ZERO,
      }
    }
    case 'merger':
      return readMerger(action.value, violations)
    case 'cashDividend':
      return readDividend(action.value, violations)
    case undefined: {
      const description = 'must be given'
      violations.push({ field: 'action', reason: 'ACTION_INVALID', description })
      return undefined
    }
  }
}

function readSplit(
  { numerator, denominator }: { readonly numerator: bigint; readonly denominator: bigint },
  violations: Violation[],
): SentTerms {
  for (const [name, part] of Object.entries({ numerator, denominator })) {
    if (part >= 1n && part <= SPLIT_PART_MAX) continue
    const description = `must be from 1 to ${SPLIT_PART_MAX}`
    violations.push({ field: `split.${name}`, reason: 'ACTION_INVALID', description })
  }
  if (numerator === denominator) {
    const description = 'must not be as many new units as old ones'
    violations.push({ field: 'split', reason: 'ACTION_INVALID', description })
  }
  return {
    kind: 'SPLIT',
    numerator: decimal(String(numerator)),
    denominator: decimal(String(denominator)),
  }
}

function readMerger(sent: SentMerger, violations: Violation[]): SentTerms {
  const reader = new FieldReader('merger', violations)
  const { newInstrumentId, ratio, cashPerUnit } = sent
  const amount = reader.amount('cash_per_unit', cashPerUnit, 'ACTION_INVALID')
  const cash = amount?.greaterThan(0) ? { amount, currency: '' } : undefined
  if (newInstrumentId !== '') {
    return {
      kind: 'MERGER',
      newInstrumentId: readInstrument('merger.new_instrument_id', newInstrumentId, violations),
      ratio: reader.positive('ratio', ratio, 'ACTION_INVALID'),
      cash,
    }
  }
  reader.unused('ratio', ratio)
  if (cash === undefined) {
    const description = 'must be greater than 0 where there is no new instrument'
    reader.refuse('cash_per_unit', { reason: 'ACTION_INVALID', description })
  }
  return { kind: 'MERGER', newInstrumentId: '', ratio: ZERO, cash }
}

function readDividend(sent: SentDividend, violations: Violation[]): SentTerms {
  const reader = new FieldReader('cash_dividend', violations)
  const { amountPerUnit, currencyCode, payDate, returnOfCapital } = sent
  if (payDate !== '' && !isDay(payDate)) {
    const description = 'must be a day such as 2024-02-29'
    reader.refuse('pay_date', { reason: 'DATE_INVALID', description })
  }
  const currency = isMinorUnit(currencyCode)
    ? currencyCode
    : reader.currency('currency_code', currencyCode)
  const amount = reader.positive('amount_per_unit', amountPerUnit, 'ACTION_INVALID')
  return {
    kind: 'CASH_DIVIDEND',
    payment: { amount, currency },
    payDay: payDate,
    returnOfCapital,
  }
}

/** @throws PortfolioError with everything that is wrong with the request. */
export function readActionReversal(
  request: ReverseCorporateActionRequest,
  { caller }: CallContext,
): { readonly actionId: number; readonly reason: string; readonly request: ActionRequest } {
  const violations: Violation[] = []
  const { corporateActionId, requestId } = request
  if (!ACTION_ID.test(corporateActionId)) {
    const description = 'must be the id of a recorded corporate action'
    violations.push({ field: 'corporate_action_id', reason: 'ACTION_INVALID', description })
  }
  if (request.reason.length > REASON_LENGTH_MAX) {
    const description = `must be at most ${REASON_LENGTH_MAX} characters`
    violations.push({ field: 'reason', reason: 'ACTION_INVALID', description })
  }
  const hash = keyOf(requestId, reverseCorporateAction, request)?.contentHash
  const key = readRequest(requestId, { caller, hash }, violations)
  if (violations.length > 0) throw invalidRequest(violations)
  return { actionId: Number(corporateActionId), reason: request.reason, request: key }
}

/** @throws PortfolioError with everything that is wrong with the request. */
export function readActionsPage(request: ListCorporateActionsRequest): ListActionsQuery {
  const violations: Violation[] = []
  const { instrumentId, includeReversed, pageSize, pageToken } = request
  const query = {
    instrumentId:
      instrumentId === '' ? '' : readInstrument('instrument_id', instrumentId, violations),
    includeReversed,
    size: readSize(pageSize, violations),
    after: Number(readPlace(pageToken, PLACE, violations)?.[1] ?? 0),
  }
  if (violations.length > 0) throw invalidRequest(violations)
  return query
}

/** Opaque to clients: the place after the last action shown. */
export function actionsToken(next: number | undefined): string {
  return next === undefined ? '' : tokenOfPlace('a', next)
}

export function presentAction(
  action: CorporateAction,
): MessageInitShape<typeof RecordedCorporateActionSchema> {
  const { actionId, instrumentId, exDay, terms, recordedAt, reversedAt } = action
  return {
    corporateActionId: String(actionId),
    recorded: { instrumentId, exDate: exDay, action: presentTerms(terms) },
    recordedAt: timestampOf(recordedAt),
    ...(reversedAt !== undefined && { reversedAt: timestampOf(reversedAt) }),
  }
}

function presentTerms(
  terms: ActionTerms,
): NonNullable<MessageInitShape<typeof RecordCorporateActionRequestSchema>['action']> {
  switch (terms.kind) {
    case 'SPLIT': {
      const { numerator, denominator } = terms
      const value = {
        numerator: BigInt(numerator.toFixed()),
        denominator: BigInt(denominator.toFixed()),
      }
      return { case: 'split', value }
    }
    case 'SYMBOL_CHANGE':
      return { case: 'symbolChange', value: { newSymbol: terms.newSymbol } }
    case 'SPIN_OFF': {
      const { newInstrumentId, ratio, basisFraction } = terms
      const value = {
        newInstrumentId,
        ratio: decimalText(ratio),
        basisFraction: decimalText(basisFraction),
      }
      return { case: 'spinOff', value }
    }
    case 'MERGER': {
      const { newInstrumentId, ratio, cash } = terms
      const value = {
        newInstrumentId,
        ratio: newInstrumentId === '' ? '' : decimalText(ratio),
        cashPerUnit: cash === undefined ? '' : decimalText(cash.perUnit),
      }
      return { case: 'merger', value }
    }
    case 'CASH_DIVIDEND': {
      const { payment, payDay, returnOfCapital } = terms
      const value = {
        amountPerUnit: decimalText(payment.perUnit),
        currencyCode: payment.currency,
        payDate: payDay,
        returnOfCapital,
      }
      return { case: 'cashDividend', value }
    }
  }
}
