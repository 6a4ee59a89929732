import type { CorporateAction } from '../../domain/market-data/corporate-action.ts'
import type { ActionTable } from '../ports.ts'

export interface ListActionsQuery {
  /** Empty = all. */
  readonly instrumentId: string
  readonly includeReversed: boolean
  readonly size: number
  /** The action after which the page begins; 0 = the first page. */
  readonly after: number
}

export interface ActionPage {
  readonly actions: readonly CorporateAction[]
  /** The last one shown, when there are more. */
  readonly next: number | undefined
}

/** A page in order of recording: a new action is never before one that was shown. */
export function listCorporateActions(
  { actions: { current } }: { readonly actions: ActionTable },
  { instrumentId, includeReversed, size, after }: ListActionsQuery,
): ActionPage {
  const known = instrumentId === '' ? current.all() : current.of(instrumentId)
  const wanted = known
    .filter(({ actionId }) => actionId > after)
    .filter(({ reversedAt }) => includeReversed || reversedAt === undefined)
    .toSorted((left, right) => left.actionId - right.actionId)
  const shown = wanted.slice(0, size)
  return { actions: shown, next: wanted.length > size ? shown.at(-1)?.actionId : undefined }
}
