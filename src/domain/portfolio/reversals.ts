import type { LedgerEntry } from './transaction.ts'

/**
 * The entries that still count: without those that were taken back and without the ones that took them back.
 * Nothing is edited: what was known before a reversal was recorded is the ledger up to then.
 */
export function activeEntries(entries: readonly LedgerEntry[]): readonly LedgerEntry[] {
  if (!entries.some(({ terms }) => terms?.reverses)) return entries
  const reversed = new Set<number>()
  for (const { terms } of entries) if (terms?.reverses) reversed.add(terms.reverses.sequence)
  return entries.filter(({ sequence, terms }) => !reversed.has(sequence) && !terms?.reverses)
}
