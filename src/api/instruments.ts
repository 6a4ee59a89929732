import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ListInstrumentsQuery } from '../app/market-data/list-instruments.ts'
import { decimalText, ONE } from '../domain/decimal.ts'
import { invalidRequest, type Violation } from '../domain/errors.ts'
import { type AssetClass, assetClasses } from '../domain/market-data/asset-class.ts'
import { isFigi, isIsin } from '../domain/market-data/identifiers.ts'
import {
  covers,
  type Derivative,
  type Instrument,
  type SymbolSpan,
} from '../domain/market-data/instrument.ts'
import { isMinorUnit } from '../domain/market-data/minor-unit.ts'
import { canonicalSymbol } from '../domain/market-data/symbol.ts'
import { isDay } from '../domain/portfolio/calendar-day.ts'
import { isPlainText } from '../domain/text.ts'
import { AssetClass as SentClass } from '../../gen/portfolio/v1/common_pb.ts'
import {
  type Instrument as SentInstrument,
  Instrument_Derivative_Right as SentRight,
  type InstrumentSchema,
  type ListInstrumentsRequest,
  type UpsertInstrumentsRequest,
} from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { FieldReader } from './field-reader.ts'
import { readPlace, readSize, readSymbols, tokenOfPlace } from './pages.ts'
import { countProblem, type Problem, refusalOf, SYMBOL_PROBLEM } from './violations.ts'

const INSTRUMENTS_MAX = 1_000
const SPANS_MAX = 100
const CLASSIFICATIONS_MAX = 32
const TEXT_LENGTH_MAX = 128
const QUANTITY_SCALE_MAX = 18
const MIC = /^[A-Z0-9]{4}$/
const PLACE = /^i ([\x21-\x7e]{1,32})$/

/** @throws PortfolioError with everything that is wrong with the request. `today` is "YYYY-MM-DD". */
export function readUpsert(
  { instruments }: UpsertInstrumentsRequest,
  today: string,
): readonly Instrument[] {
  const violations: Violation[] = []
  const reasons = { none: 'INSTRUMENTS_REQUIRED', tooMany: 'TOO_MANY_INSTRUMENTS' } as const
  const count = { actual: instruments.length, maximum: INSTRUMENTS_MAX }
  const problem = countProblem(reasons, count)
  if (problem !== undefined) throw refusalOf([{ field: 'instruments', ...problem }], count)
  const drafts = instruments.map((sent, index) =>
    readInstrument(sent, today, new FieldReader(`instruments[${index}]`, violations)),
  )
  if (violations.length > 0) throw invalidRequest(violations)
  return drafts
}

/** A draft that means something only when nothing was refused. */
function readInstrument(sent: SentInstrument, today: string, reader: FieldReader): Instrument {
  const assetClass = CLASSES.get(sent.assetClass)
  if (assetClass === undefined) {
    refuse(reader, 'asset_class', 'must be given, and be one that is known')
  }
  const rule = assetClasses[assetClass ?? 'EQUITY']
  const symbol = readSymbol(sent.symbol, 'symbol', reader)
  checkIdentifiers(sent, reader)
  if (rule.isMoney && sent.currencyCode === '') {
    refuse(reader, 'currency_code', 'must be given for cash')
  }
  return {
    instrumentId:
      sent.instrumentId === '' ? '' : readSymbol(sent.instrumentId, 'instrument_id', reader),
    symbol,
    mic: sent.exchangeMic,
    isin: sent.isin,
    figi: sent.figi,
    currency: isMinorUnit(sent.currencyCode)
      ? sent.currencyCode
      : reader.currency('currency_code', sent.currencyCode),
    assetClass: assetClass ?? 'EQUITY',
    multiplier: readMultiplier(sent, rule.isContract, reader),
    quantityScale: readScale(sent.quantityScale, rule.quantityScale, reader),
    symbols: readSpans(sent, { symbol, today }, reader),
    classifications: readClassifications(sent, reader),
    derivative: readDerivative(sent, assetClass, reader),
  }
}

function checkIdentifiers(sent: SentInstrument, reader: FieldReader): void {
  if (sent.exchangeMic !== '' && !MIC.test(sent.exchangeMic)) {
    refuse(reader, 'exchange_mic', 'must be four capital letters or digits')
  }
  if (sent.isin !== '' && !isIsin(sent.isin)) reader.refuse('isin', ISIN_PROBLEM)
  if (sent.figi !== '' && !isFigi(sent.figi)) reader.refuse('figi', FIGI_PROBLEM)
}

const ISIN_PROBLEM: Problem = {
  reason: 'ISIN_INVALID',
  description: 'must be an ISIN with its check digit',
}
const FIGI_PROBLEM: Problem = {
  reason: 'FIGI_INVALID',
  description: 'must be a FIGI with its check digit',
}

function refuse(reader: FieldReader, field: string, description: string): void {
  reader.refuse(field, { reason: 'INSTRUMENT_INVALID', description })
}

/** The contract's names are the core's. */
const CLASSES: ReadonlyMap<number, AssetClass> = new Map(
  Object.entries(SentClass).flatMap(([name, number]): [number, AssetClass][] =>
    typeof number === 'number' && Object.hasOwn(assetClasses, name)
      ? [[number, name as AssetClass]]
      : [],
  ),
)

function readSymbol(text: string, field: string, reader: FieldReader): string {
  const symbol = canonicalSymbol(text)
  if (symbol === undefined) reader.refuse(field, SYMBOL_PROBLEM)
  return symbol ?? ''
}

function readMultiplier(sent: SentInstrument, isContract: boolean, reader: FieldReader) {
  if (sent.multiplier !== '') {
    return reader.positive('multiplier', sent.multiplier, 'INSTRUMENT_INVALID')
  }
  if (isContract) refuse(reader, 'multiplier', 'must be given for options and futures')
  return ONE
}

function readScale(scale: number | undefined, usual: number, reader: FieldReader): number {
  if (scale === undefined) return usual
  if (scale >= 0 && scale <= QUANTITY_SCALE_MAX) return scale
  refuse(reader, 'quantity_scale', `must be from 0 to ${QUANTITY_SCALE_MAX}`)
  return usual
}

/** The present symbol is one of them: where it is not, it is since the day after the last one. */
function readSpans(
  sent: SentInstrument,
  { symbol, today }: { symbol: string; today: string },
  reader: FieldReader,
): readonly SymbolSpan[] {
  if (sent.symbolHistory.length > SPANS_MAX) {
    refuse(reader, 'symbol_history', `at most ${SPANS_MAX}, ${sent.symbolHistory.length} sent`)
    return []
  }
  const spans = sent.symbolHistory.map((span, index): SymbolSpan => {
    const path = `symbol_history[${index}]`
    for (const [field, day] of [
      ['from_date', span.fromDate],
      ['to_date', span.toDate],
    ] as const) {
      if (day !== '' && !isDay(day)) {
        const description = 'must be a day such as 2024-02-29'
        reader.refuse(`${path}.${field}`, { reason: 'DATE_INVALID', description })
      }
    }
    if (span.toDate !== '' && span.toDate < span.fromDate) {
      refuse(reader, `${path}.to_date`, 'must not be before from_date')
    }
    return {
      symbol: readSymbol(span.symbol, `${path}.symbol`, reader),
      fromDay: span.fromDate,
      toDay: span.toDate,
    }
  })
  if (spans.some((span) => span.symbol === symbol && covers(span, today))) return spans
  const last = spans.reduce((latest, { toDay }) => (toDay > latest ? toDay : latest), '')
  return [...spans, { symbol, fromDay: last === '' ? '' : dayAfter(last), toDay: '' }]
}

function dayAfter(day: string): string {
  const date = new Date(`${day}T00:00:00Z`)
  if (Number.isNaN(date.getTime())) return ''
  date.setUTCDate(date.getUTCDate() + 1)
  return date.toISOString().slice(0, 10)
}

function readClassifications(
  { classifications }: SentInstrument,
  reader: FieldReader,
): Readonly<Record<string, string>> {
  const entries = Object.entries(classifications)
  const plain = entries.flat().every((text) => isPlainText(text, TEXT_LENGTH_MAX))
  if (entries.length > CLASSIFICATIONS_MAX || !plain) {
    const description = `must be at most ${CLASSIFICATIONS_MAX} of at most ${TEXT_LENGTH_MAX} plain characters`
    refuse(reader, 'classifications', description)
  }
  return classifications
}

function readDerivative(
  { derivative }: SentInstrument,
  assetClass: AssetClass | undefined,
  reader: FieldReader,
): Derivative | undefined {
  if (derivative === undefined) return undefined
  if (assetClass === undefined || !assetClasses[assetClass].isContract) {
    reader.unused('derivative', 'given')
    return undefined
  }
  if (!isDay(derivative.expiryDate)) {
    const description = 'must be a day such as 2024-02-29'
    reader.refuse('derivative.expiry_date', { reason: 'DATE_INVALID', description })
  }
  const strike = reader.amount('derivative.strike', derivative.strike, 'INSTRUMENT_INVALID')
  const right = RIGHTS.get(derivative.right)
  if ((strike === undefined) !== (right === undefined)) {
    refuse(reader, 'derivative', 'strike and right go together: an option has both')
  }
  return {
    underlyingSymbol: readSymbol(
      derivative.underlyingSymbol,
      'derivative.underlying_symbol',
      reader,
    ),
    expiryDay: derivative.expiryDate,
    strike,
    right,
  }
}

const RIGHTS: ReadonlyMap<SentRight, Derivative['right']> = new Map([
  [SentRight.CALL, 'CALL' as const],
  [SentRight.PUT, 'PUT' as const],
])

/** @throws PortfolioError with everything that is wrong with the request. */
export function readInstrumentsPage(request: ListInstrumentsRequest): ListInstrumentsQuery {
  const violations: Violation[] = []
  const query = {
    symbols: readSymbols(request.symbols, violations),
    size: readSize(request.pageSize, violations),
    after: readPlace(request.pageToken, PLACE, violations)?.[1] ?? '',
  }
  if (violations.length > 0) throw invalidRequest(violations)
  return query
}

/** Opaque to clients: the place after the last instrument shown. */
export function instrumentsToken(next: string | undefined): string {
  return next === undefined ? '' : tokenOfPlace('i', next)
}

export function presentInstrument(
  instrument: Instrument,
): MessageInitShape<typeof InstrumentSchema> {
  const { derivative } = instrument
  return {
    instrumentId: instrument.instrumentId,
    symbol: instrument.symbol,
    exchangeMic: instrument.mic,
    isin: instrument.isin,
    figi: instrument.figi,
    currencyCode: instrument.currency,
    assetClass: SentClass[instrument.assetClass],
    multiplier: decimalText(instrument.multiplier),
    quantityScale: instrument.quantityScale,
    symbolHistory: instrument.symbols.map(({ symbol, fromDay, toDay }) => ({
      symbol,
      fromDate: fromDay,
      toDate: toDay,
    })),
    classifications: instrument.classifications,
    ...(derivative && {
      derivative: {
        underlyingSymbol: derivative.underlyingSymbol,
        expiryDate: derivative.expiryDay,
        strike: derivative.strike === undefined ? '' : decimalText(derivative.strike),
        right: derivative.right === undefined ? SentRight.UNSPECIFIED : SentRight[derivative.right],
      },
    }),
  }
}
