import { expect, test } from '@jest/globals'
import { BookFold } from '../../../../src/domain/portfolio/book-fold.ts'
import type { Book } from '../../../../src/domain/portfolio/holding.ts'
import type { LedgerEntry } from '../../../../src/domain/portfolio/transaction.ts'
import { rich } from './rich-drafts.ts'
import { plain } from './stored-rows.ts'

const RULES = { lotMethod: 'FIFO', allowShort: false } as const

function entry(sequence: number, draft: ReturnType<typeof rich>): LedgerEntry {
  const facts = { sequence, version: sequence, recordedAt: sequence, requestId: '' }
  return { ...draft, ...facts, effectiveAt: draft.effectiveAt ?? sequence }
}

test('the order in which accounts were read decides no last digit', () => {
  const fold = new BookFold(undefined, RULES)
  for (const [index, accountId] of ['c', 'a', 'b'].entries()) {
    fold.apply(entry(index + 1, rich('BUY', index, { quantity: '1', price: '10', accountId })))
  }
  const returned = entry(9, rich('RETURN_OF_CAPITAL', 9, { amount: '1' }))
  const after = (book: Book): unknown => {
    const next = new BookFold(book, RULES)
    expect(next.apply(returned)).toBeUndefined()
    return plain(new Map([...next.book()].toSorted(([left], [right]) => (left < right ? -1 : 1))))
  }
  const book = fold.book()
  expect(after(new Map([...book].toReversed()))).toEqual(after(book))
})
