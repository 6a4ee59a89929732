import { decimal, decimalText } from '../src/domain/decimal.ts'
import { foldLedger } from '../src/domain/portfolio/fold-ledger.ts'
import type { Holding } from '../src/domain/portfolio/holding.ts'
import { DEFAULT_SETTINGS } from '../src/domain/portfolio/state.ts'
import type { LedgerEntry } from '../src/domain/portfolio/transaction.ts'
import type { Cluster } from './cluster.ts'

interface Decided {
  readonly columns: readonly string[]
  readonly amounts: readonly string[]
  /** Which rows are compared; all by default. */
  readonly where?: string
}

const LOT_KEY = ['user_id', 'instrument_id', 'account_id', 'opened_sequence', 'part']

/** Everything a request decides, without the moments and ids that differ from run to run. */
const DECIDED: Readonly<Record<string, Decided>> = {
  portfolio: { columns: ['user_id', 'version', 'last_sequence'], amounts: [] },
  ledger: {
    columns: ['user_id', 'sequence', 'version', 'instrument_id', 'account_id', 'type'],
    amounts: ['quantity', 'price'],
  },
  holding: {
    columns: ['user_id', 'instrument_id', 'account_id', 'lot_count', 'transaction_count'],
    amounts: ['quantity', 'unknown_quantity', 'basis', 'realized', 'capital', 'last_trade_price'],
  },
  // The newest alone: the service forgets those of the seed, which were recorded long ago.
  outbox: {
    columns: ['user_id', 'version', 'n', 'first_sequence', 'last_sequence'],
    amounts: [],
    where: 'version = (select version from portfolio where user_id = outbox.user_id)',
  },
  lot: { columns: LOT_KEY, amounts: ['quantity_acquired', 'quantity', 'basis'] },
  lot_match: {
    columns: ['user_id', 'disposal_sequence', 'part', 'from_version', 'to_version', 'rule'].concat([
      'instrument_id',
      'account_id',
      'lot_sequence',
      'lot_part',
    ]),
    amounts: ['quantity', 'basis', 'proceeds', 'gain'],
  },
}

/** @throws when the databases do not hold equal rows of a population. */
export async function assertEqualRows(
  cluster: Cluster,
  databases: readonly string[],
  prefix: string,
): Promise<void> {
  for (const [table, { columns, amounts, where = 'true' }] of Object.entries(DECIDED)) {
    // 1.50 and 1.5 are one number.
    const list = [...columns, ...amounts.map((column) => `trim_scale(${column})`)].join(', ')
    const sums: string[] = []
    for (const database of databases) {
      const [row] = await cluster.query<{ rows: string; digest: string }>(
        database,
        `select count(*) as rows, sum(hashtextextended(row(${list})::text, 0)) as digest
        from ${table} where user_id like '${prefix}-%' and ${where}`,
      )
      sums.push(`${database}: ${row?.rows} rows, digest ${row?.digest}`)
    }
    const [first] = sums.map((sum) => sum.slice(sum.indexOf(':')))
    if (!sums.every((sum) => sum.slice(sum.indexOf(':')) === first)) {
      throw new Error(`${table} is not the same in all databases: ${sums.join('; ')}`)
    }
  }
}

/** @throws when the ledgers of some users, folded again, are not what their holdings and heads say. */
export async function assertLedgersFold(
  cluster: Cluster,
  database: string,
  users: readonly string[],
): Promise<void> {
  for (const user of users) {
    const entries = await readEntries(cluster, database, user)
    const folded = foldLedger(user, entries, DEFAULT_SETTINGS)
    const expected = [...folded.books.values()].flatMap((book) => [...book.values()].map(lineOf))
    const holdings = await cluster.query<{ line: string }>(
      database,
      `select concat_ws(' ', instrument_id, trim_scale(quantity), trim_scale(basis), trim_scale(realized),
        trim_scale(capital), lot_count) as line from holding where user_id = '${user}'`,
    )
    const found = holdings.map((row) => row.line)
    if (found.toSorted().join('\n') !== expected.toSorted().join('\n')) {
      throw new Error(`${user} in ${database} holds what its ledger does not say`)
    }
    const [row] = await cluster.query<{ head: string }>(
      database,
      `select encode(chain_head, 'hex') as head from portfolio where user_id = '${user}'`,
    )
    if (row?.head !== Buffer.from(folded.chainHead).toString('hex')) {
      throw new Error(`the chain of ${user} in ${database} does not end in its head`)
    }
  }
}

function lineOf(holding: Holding): string {
  const { instrumentId, quantity, basis, realized, capital, lotCount } = holding
  const amounts = [quantity, basis, realized, capital].map(decimalText).join(' ')
  return `${instrumentId} ${amounts} ${lotCount}`
}

type LedgerRow = Omit<LedgerEntry, 'quantity' | 'price'> & {
  readonly quantity: string
  readonly price: string
}

async function readEntries(
  cluster: Cluster,
  database: string,
  user: string,
): Promise<readonly LedgerEntry[]> {
  const rows = await cluster.query<LedgerRow>(
    database,
    `select sequence::float8 as sequence, version::float8 as version,
      (extract(epoch from effective_at) * 1000000)::float8 as "effectiveAt",
      (extract(epoch from recorded_at) * 1000000)::float8 as "recordedAt",
      instrument_id as "instrumentId", account_id as "accountId", type, quantity, price,
      request_id as "requestId"
    from ledger where user_id = '${user}'`,
  )
  return rows.map((row) =>
    Object.assign(row, { quantity: decimal(row.quantity), price: decimal(row.price) }),
  )
}
