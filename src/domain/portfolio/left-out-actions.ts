import { type CorporateAction, paymentOf } from '../market-data/corporate-action.ts'
import { symbolOf } from '../market-data/instrument.ts'
import type { QuoteSource } from '../market-data/quote.ts'
import type { Instant } from '../time.ts'
import { isUnrated } from './action-effects.ts'
import type { Holding } from './holding.ts'
import type { QualityIssue } from './quality.ts'

/** True where a corporate action is not in what is held or was made. */
export function isLeftOut({ actionEpoch }: Holding): boolean {
  return actionEpoch < 0
}

/** Names the instruments of which something is left out, sold-out ones too: what they brought is in the totals. */
export function leftOutIssues(
  instrumentIds: Iterable<string>,
  baseCurrency: string,
  { instruments, actions }: Pick<QuoteSource, 'instruments' | 'actions'>,
  at: Instant,
): readonly QualityIssue[] {
  const issues: QualityIssue[] = []
  for (const instrumentId of instrumentIds) {
    const symbol = symbolOf(instruments, instrumentId)
    const unrated = actions
      ?.of(instrumentId)
      .find((action) => isInForce(action, at) && isUnrated(action, baseCurrency))
    issues.push({ symbol, ...issueOf(unrated, baseCurrency) })
  }
  return issues
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
