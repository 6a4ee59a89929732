import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Metadata } from '@grpc/grpc-js'
import { getPortfolioSettings, type SettingsView } from '../app/portfolio/get-portfolio-settings.ts'
import {
  updatePortfolioSettings,
  type UpdateSettingsCommand,
} from '../app/portfolio/update-portfolio-settings.ts'
import type { UpdatePortfolioPorts } from '../app/portfolio/update-portfolio.ts'
import type { Violation } from '../domain/errors.ts'
import { canonicalSymbol, isCurrencyCode } from '../domain/market-data/symbol.ts'
import { isTimeZone } from '../domain/portfolio/calendar-day.ts'
import { DEFAULT_SETTINGS, parseEtag, type PortfolioSettings } from '../domain/portfolio/state.ts'
import { LotMethod as SentMethod } from '../../gen/portfolio/v1/common_pb.ts'
import {
  type PortfolioSettings as SentSettings,
  PortfolioService,
  type PortfolioSettingsSchema,
  type UpdatePortfolioSettingsRequest,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import type { HandlersOf } from './call.ts'
import { keyOf } from './idempotency-key.ts'
import { readRequestKey } from './portfolio-headers.ts'
import { readMethod } from './portfolio-pages.ts'
import { readUserId } from './portfolio-request.ts'
import {
  CURRENCY_PROBLEM,
  ETAG_PROBLEM,
  readOptional,
  refusalOf,
  SYMBOL_PROBLEM,
} from './violations.ts'

const JURISDICTIONS: ReadonlySet<string> = new Set(['US', 'GB', 'DE', 'NONE'])
const BENCHMARKS_MAX = 20

type SettingsHandlers = Pick<
  HandlersOf<typeof PortfolioService>,
  'getPortfolioSettings' | 'updatePortfolioSettings'
>

/** How a portfolio is kept: parse, use case, present. */
export function portfolioSettingsHandlers(ports: UpdatePortfolioPorts): SettingsHandlers {
  return {
    async getPortfolioSettings(request, _metadata, call) {
      const violations: Violation[] = []
      const userId = readUserId(request.userId, violations)
      if (violations.length > 0) throw refusalOf(violations)
      const view = await getPortfolioSettings(ports, userId, call)
      return { message: { settings: presentSettings(view) } }
    },

    async updatePortfolioSettings(request, metadata, call) {
      const command = readSettings(request, metadata)
      const view = await updatePortfolioSettings(ports, command, call)
      return { message: { settings: presentSettings(view) } }
    },
  }
}

function readSettings(
  request: UpdatePortfolioSettingsRequest,
  metadata: Metadata,
): UpdateSettingsCommand {
  const violations: Violation[] = []
  const userId = readUserId(request.userId, violations)
  const key = readRequestKey(request.requestId, metadata, violations)
  const sent = request.settings
  if (sent === undefined) {
    const description = 'must be given'
    violations.push({ field: 'settings', reason: 'SETTINGS_INVALID', description })
    throw refusalOf(violations)
  }
  const settings = readFields(sent, violations)
  const ifMatch = readOptional(
    sent.etag,
    (text) => parseEtag(text)?.etag,
    () => violations.push({ field: 'settings.etag', ...ETAG_PROBLEM }),
  )
  if (violations.length > 0) throw refusalOf(violations)
  return { userId, settings, ifMatch, key: keyOf(key, METHOD, request) }
}

const METHOD = PortfolioService.method.updatePortfolioSettings

/** The message replaces all settings: what it leaves empty is the default again. */
function readFields(sent: SentSettings, violations: Violation[]): PortfolioSettings {
  const invalid = (field: string, description: string): void => {
    violations.push({ field: `settings.${field}`, reason: 'SETTINGS_INVALID', description })
  }
  if (sent.baseCurrency !== '' && !isCurrencyCode(sent.baseCurrency)) {
    violations.push({ field: 'settings.base_currency', ...CURRENCY_PROBLEM })
  }
  if (sent.taxJurisdiction !== '' && !JURISDICTIONS.has(sent.taxJurisdiction)) {
    invalid('tax_jurisdiction', `must be one of ${[...JURISDICTIONS].join(', ')}`)
  }
  if (sent.timeZone !== '' && !isTimeZone(sent.timeZone)) {
    invalid('time_zone', 'must be an IANA name such as Europe/Berlin')
  }
  if (sent.benchmarkSymbols.length > BENCHMARKS_MAX) {
    invalid('benchmark_symbols', `at most ${BENCHMARKS_MAX}, ${sent.benchmarkSymbols.length} sent`)
  }
  const method = readMethod(sent.lotMethod, 'settings.lot_method', violations)
  return {
    baseCurrency: sent.baseCurrency || DEFAULT_SETTINGS.baseCurrency,
    lotMethod: method ?? DEFAULT_SETTINGS.lotMethod,
    allowShort: sent.allowShort,
    taxJurisdiction: sent.taxJurisdiction || DEFAULT_SETTINGS.taxJurisdiction,
    timeZone: sent.timeZone || DEFAULT_SETTINGS.timeZone,
    benchmarkSymbols: sent.benchmarkSymbols.slice(0, BENCHMARKS_MAX).map((text, index) => {
      const symbol = canonicalSymbol(text)
      if (symbol === undefined) {
        violations.push({ field: `settings.benchmark_symbols[${index}]`, ...SYMBOL_PROBLEM })
      }
      return symbol ?? ''
    }),
  }
}

function presentSettings({
  settings,
  etag,
}: SettingsView): MessageInitShape<typeof PortfolioSettingsSchema> {
  return {
    ...settings,
    lotMethod: SentMethod[settings.lotMethod],
    benchmarkSymbols: [...settings.benchmarkSymbols],
    etag,
  }
}
