import type { TearSheetQuery } from '../app/analytics/tear-sheet.ts'
import { PortfolioError, type Violation } from '../domain/errors.ts'
import { canonicalSymbol } from '../domain/market-data/symbol.ts'
import { readCurrency, readPeriod } from './analytics-request.ts'
import { readUserId } from './portfolio-request.ts'
import { readOptional, refusalOf, SYMBOL_PROBLEM } from './violations.ts'

/** The parameters of a report, with what they mean; those of the contract have its names. */
export const REPORT_PARAMETERS = {
  user_id: 'Whose portfolio.',
  benchmark: 'Symbol of what the portfolio is held against, such as ^GSPC; none when not given.',
  start_date:
    'First day, such as 2024-01-01, not after today; that of the first transaction when not given.',
  end_date: 'Last day; today when not given.',
  reporting_currency: "Three capital letters; the portfolio's own when not given.",
} as const

type Parameter = keyof typeof REPORT_PARAMETERS

/** @throws PortfolioError with everything that is wrong with the query string. */
export function readReport(sent: unknown): TearSheetQuery {
  const query = readParameters(sent)
  const violations: Violation[] = []
  const read = {
    userId: readUserId(query.user_id, violations),
    benchmark: readOptional(query.benchmark, canonicalSymbol, () =>
      violations.push({ field: 'benchmark', ...SYMBOL_PROBLEM }),
    ),
    ...readPeriod('', { startDate: query.start_date, endDate: query.end_date }, violations),
    reportingCurrency: readCurrency(query.reporting_currency, violations),
  }
  if (violations.length > 0) throw refusalOf(violations)
  return read
}

/** Each parameter once; a name that we do not know is a mistake, nothing to pass over. */
function readParameters(sent: unknown): Readonly<Record<Parameter, string>> {
  const read = {
    user_id: '',
    benchmark: '',
    start_date: '',
    end_date: '',
    reporting_currency: '',
  }
  for (const [name, value] of Object.entries(sent as Readonly<Record<string, unknown>>)) {
    if (!Object.hasOwn(REPORT_PARAMETERS, name)) {
      throw new PortfolioError('MALFORMED_REQUEST', `no such parameter: ${JSON.stringify(name)}`)
    }
    if (typeof value !== 'string') {
      throw new PortfolioError('MALFORMED_REQUEST', `${name} may be given once`)
    }
    read[name as Parameter] = value
  }
  return read
}
