import { expect } from '@jest/globals'
import type pg from 'pg'
import { decimal, type Decimal } from '../../../../src/domain/decimal.ts'
import { BookFold } from '../../../../src/domain/portfolio/book-fold.ts'
import { foldLedger } from '../../../../src/domain/portfolio/fold-ledger.ts'
import type { Lot, LotMatch } from '../../../../src/domain/portfolio/holding.ts'
import { activeEntries } from '../../../../src/domain/portfolio/reversals.ts'
import type { PortfolioSettings, PortfolioState } from '../../../../src/domain/portfolio/state.ts'
import { compareEntries, type LedgerEntry } from '../../../../src/domain/portfolio/transaction.ts'
import { callContext, type TestStore } from '../../../support/store.ts'

type Row = Record<string, unknown>

/**
 * Everything stored of a user is what its ledger alone says: holdings, lots, matches as of each version, and the
 * cash, the head; versions and sequences have no gaps. What was known before the last change of settings was made
 * under others: of that only the ledger is looked at.
 */
export async function expectConsistent(
  store: TestStore,
  raw: pg.Pool,
  userId: string,
  settingsVersions: readonly number[] = [],
): Promise<readonly LedgerEntry[]> {
  const entries = await store.portfolios.ledger(userId, {})
  const read = await store.portfolios.read(userId, callContext())
  const { settings } = read!.state
  const folded = foldLedger(userId, entries, settings)
  const inSequence = entries.toSorted((left, right) => left.sequence - right.sequence)
  expect(inSequence.map((entry) => entry.sequence)).toEqual(entries.map((_, index) => index + 1))
  const versions = [
    ...new Set([...inSequence.map((entry) => entry.version), ...settingsVersions]),
  ].toSorted((left, right) => left - right)
  expect(versions).toEqual(versions.map((_, index) => index + 1))

  const [head] = await select(raw, 'portfolio', userId)
  expect(head).toMatchObject({
    version: `${versions.at(-1)}`,
    last_sequence: `${folded.lastSequence}`,
    chain_head: Buffer.from(folded.chainHead),
  })
  const { rows: last } = await raw.query<{ hash: Buffer }>(
    'select hash from ledger where user_id = $1 order by sequence desc limit 1',
    [userId],
  )
  expect(last[0]?.hash).toEqual(Buffer.from(folded.chainHead))

  const holdings = [...folded.books.values()].flatMap((book) => Array.from(book.values()))
  if (!settings.allowShort) {
    expect(holdings.filter(({ quantity }) => quantity.isNegative())).toEqual([])
  }
  const holdingRows = await select(raw, 'holding', userId)
  // A row whose every entry was taken back stays, with nothing in it.
  const saying = holdingRows.filter((row) => row['transaction_count'] !== '0')
  expect(sorted(saying.map(holdingText))).toEqual(
    sorted(
      holdings.map((holding) =>
        line([
          holding.instrumentId,
          holding.accountId,
          holding.quantity,
          holding.unknownQuantity,
          holding.basis,
          holding.realized,
          holding.income,
          holding.fees,
          holding.taxes,
          holding.capital,
          holding.lotCount,
          holding.transactionCount,
        ]),
      ),
    ),
  )
  expect(sorted((await select(raw, 'lot', userId)).map(lotRowText))).toEqual(
    sorted(
      holdings.flatMap(({ instrumentId, lots }) => lots!.map((lot) => lotText(instrumentId, lot))),
    ),
  )
  await expectCash(raw, userId, folded)
  const matches = await select(raw, 'lot_match', userId)
  const settingsVersion = settingsVersions.at(-1) ?? 0
  for (const version of versions.filter((each) => each >= settingsVersion)) {
    const known = matches.filter(
      (row) =>
        Number(row['from_version']) <= version &&
        (row['to_version'] === null || Number(row['to_version']) > version),
    )
    const then = entries.filter((entry) => entry.version <= version)
    expect(sorted(known.map(matchRowText))).toEqual(sorted(matchesOf(then, settings)))
  }
  return entries
}

async function expectCash(raw: pg.Pool, userId: string, { cash }: PortfolioState): Promise<void> {
  const [portfolio] = await select(raw, 'portfolio', userId)
  const since = portfolio?.['cash_since'] as Date | null
  expect(since?.getTime()).toBe(cash.since === undefined ? undefined : cash.since / 1_000)
  const rows = await select(raw, 'cash', userId)
  expect(sorted(rows.map((row) => line([row['currency'], number(row['amount'])])))).toEqual(
    sorted([...cash.balances].map(([currency, amount]) => line([currency, amount]))),
  )
}

function matchesOf(entries: readonly LedgerEntry[], settings: PortfolioSettings): string[] {
  const folds = new Map<string, BookFold>()
  for (const entry of activeEntries(entries.toSorted(compareEntries))) {
    const fold = folds.get(entry.instrumentId) ?? new BookFold(undefined, settings)
    folds.set(entry.instrumentId, fold)
    expect(fold.apply(entry)).toBeUndefined()
  }
  return [...folds].flatMap(([instrumentId, fold]) =>
    fold.matches.map((match) => matchText(instrumentId, match)),
  )
}

async function select(raw: pg.Pool, table: string, userId: string): Promise<Row[]> {
  const { rows } = await raw.query<Row>(`select * from ${table} where user_id = $1`, [userId])
  return rows
}

function holdingText(row: Row): string {
  return line([
    row['instrument_id'],
    row['account_id'],
    number(row['quantity']),
    number(row['unknown_quantity']),
    number(row['basis']),
    number(row['realized']),
    number(row['income']),
    number(row['fees']),
    number(row['taxes']),
    number(row['capital']),
    row['lot_count'],
    row['transaction_count'],
  ])
}

function lotRowText(row: Row): string {
  return line([
    row['instrument_id'],
    row['account_id'],
    row['opened_sequence'],
    row['part'],
    (row['acquired_at'] as Date).toISOString(),
    number(row['quantity_acquired']),
    number(row['quantity']),
    number(row['basis']),
  ])
}

function lotText(instrumentId: string, lot: Lot): string {
  return line([
    instrumentId,
    lot.accountId,
    lot.openedSequence,
    lot.part,
    new Date(lot.acquiredAt / 1_000).toISOString(),
    lot.quantityAcquired,
    lot.quantity,
    lot.basis,
  ])
}

function matchRowText(row: Row): string {
  return line([
    row['instrument_id'],
    row['account_id'],
    row['disposal_sequence'],
    row['part'],
    row['lot_sequence'],
    row['lot_part'],
    number(row['quantity']),
    number(row['basis']),
    number(row['proceeds']),
    number(row['gain']),
    row['rule'],
  ])
}

function matchText(instrumentId: string, match: LotMatch): string {
  return line([
    instrumentId,
    match.accountId,
    match.disposalSequence,
    match.part,
    match.lotSequence,
    match.lotPart,
    match.quantity,
    match.basis,
    match.proceeds,
    match.gain,
    match.rule,
  ])
}

function number(value: unknown): Decimal | null {
  return value === null ? null : decimal(value as string)
}

function line(values: readonly unknown[]): string {
  return values.map(String).join(' | ')
}

function sorted(lines: readonly string[]): string[] {
  return lines.toSorted()
}
