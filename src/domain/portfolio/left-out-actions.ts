import { type CorporateAction, paymentOf } from '../market-data/corporate-action.ts'
import { symbolOf } from '../market-data/instrument.ts'
import type { QuoteSource } from '../market-data/quote.ts'
import type { Instant } from '../time.ts'
import { isUnrated } from './action-effects.ts'
import type { Book } from './holding.ts'
import type { PortfolioState } from './state.ts'
import type { QualityIssue } from './quality.ts'

/**
 * Names the instruments of which a corporate action is not in what is held or was made, once each, sold-out ones too:
 * what they brought is in the totals.
 */
export function leftOutIssues(
  { books, settings: { baseCurrency } }: PortfolioState,
  { instruments, actions }: Pick<QuoteSource, 'instruments' | 'actions'>,
  at: Instant,
): readonly QualityIssue[] {
  const issues: QualityIssue[] = []
  for (const [instrumentId, book] of books) {
    if (!isLeftOut(book)) continue
    const symbol = symbolOf(instruments, instrumentId)
    const unrated = actions
      ?.of(instrumentId)
      .find((action) => isInForce(action, at) && isUnrated(action, baseCurrency))
    issues.push({ symbol, ...issueOf(unrated, baseCurrency) })
  }
  return issues
}

function isLeftOut(book: Book): boolean {
  for (const { actionEpoch } of book.values()) if (actionEpoch < 0) return true
  return false
}

function isInForce({ effectiveAt, reversedAt }: CorporateAction, at: Instant): boolean {
  return effectiveAt <= at && reversedAt === undefined
}

function issueOf(
  unrated: CorporateAction | undefined,
  baseCurrency: string,
): Omit<QualityIssue, 'symbol'> {
  if (unrated === undefined) {
    // It was recorded after what does not go with it, such as a sale of more than it leaves.
    const detail = 'what was recorded does not go with a corporate action: it is left out'
    return { reason: 'ACTION_LEFT_OUT', detail }
  }
  const { exDay } = unrated
  const currency = paymentOf(unrated)?.currency ?? ''
  const detail = `no rate from ${currency} to ${baseCurrency} was known for the corporate action of ${exDay} when it was recorded: it is left out of profit and loss`
  return { reason: 'FX_MISSING', detail }
}
