import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbeddedPostgres } from '../src/infra/postgres/embedded.ts'

/** Rows that the tables of users have seen, and commits; `requests` counts updates of portfolio rows. */
export interface DatabaseWork {
  readonly requests: number
  readonly commits: number
  readonly rowsRead: number
  readonly rowsWritten: number
}

/** One PostgreSQL server of the run, with a database for each case. */
export interface Cluster {
  readonly version: string
  readonly settings: string
  url(database: string): string
  createDatabase(name: string, template?: string): Promise<void>
  /** Plans and visibility as after any autovacuum, so that no case begins without them. */
  vacuum(database: string): Promise<void>
  query<Row extends pg.QueryResultRow>(database: string, text: string): Promise<Row[]>
  work(database: string): Promise<DatabaseWork>
  /** Process id of the server, to read its CPU time. */
  serverPid(): Promise<number>
  close(): Promise<void>
}

/** The working set of every case fits: with the default of 128 MB the run would measure how pages are evicted. */
const SHARED_BUFFERS = '1GB'

export async function startCluster(): Promise<Cluster> {
  const dataDir = await mkdtemp(join(tmpdir(), 'portfolio-bench-'))
  await chmod(dataDir, 0o755)
  let server = await startEmbeddedPostgres({ dataDir, log: () => undefined })
  const url = (database: string): string => {
    const changed = new URL(server.url)
    changed.pathname = `/${database}`
    return changed.href
  }
  const query = async <Row extends pg.QueryResultRow>(
    database: string,
    text: string,
  ): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: url(database) })
    await client.connect()
    try {
      return (await client.query<Row>(text)).rows
    } finally {
      await client.end()
    }
  }
  const close = async (): Promise<void> => {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
  try {
    await query('postgres', `alter system set shared_buffers = '${SHARED_BUFFERS}'`)
    await server.stop()
    server = await startEmbeddedPostgres({ dataDir, log: () => undefined })
    const show = async (name: string): Promise<string> => {
      const [row] = await query<{ value: string }>(
        'postgres',
        `select current_setting('${name}') as value`,
      )
      return row?.value ?? ''
    }
    const durable = ['fsync', 'synchronous_commit', 'full_page_writes'] as const
    for (const name of durable) {
      if ((await show(name)) !== 'on') throw new Error(`the benchmark needs ${name} = on`)
    }
    return {
      version: await show('server_version'),
      settings: `${durable.join(', ')} on, shared_buffers ${await show('shared_buffers')}`,
      url,
      query,
      createDatabase: async (name, template = 'template1') => {
        await query(
          'postgres',
          `create database ${name} template ${template} strategy ${template === 'template1' ? 'wal_log' : 'file_copy'}`,
        )
      },
      vacuum: async (database) => {
        await query(database, 'vacuum analyze')
      },
      work: (database) => readWork(query, database),
      serverPid: async () => {
        const [row] = await query<{ pid: number }>(
          'postgres',
          `select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int as pid`,
        )
        if (row === undefined) throw new Error('the server does not tell its process id')
        return row.pid
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Quotes are left out: they come in every second, whatever the requests do. */
async function readWork(query: Cluster['query'], database: string): Promise<DatabaseWork> {
  const [row] = await query<Record<'requests' | 'commits' | 'read' | 'written', string>>(
    database,
    `select
      sum(n_tup_upd) filter (where relname = 'portfolio') as requests,
      (select xact_commit from pg_stat_database where datname = current_database()) as commits,
      sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) as read,
      sum(n_tup_ins + n_tup_upd + n_tup_del) as written
    from pg_stat_user_tables where relname !~ 'quote'`,
  )
  return {
    requests: Number(row?.requests),
    commits: Number(row?.commits),
    rowsRead: Number(row?.read),
    rowsWritten: Number(row?.written),
  }
}

export function workBetween(before: DatabaseWork, after: DatabaseWork): DatabaseWork {
  return {
    requests: after.requests - before.requests,
    commits: after.commits - before.commits,
    rowsRead: after.rowsRead - before.rowsRead,
    rowsWritten: after.rowsWritten - before.rowsWritten,
  }
}
