import { cpus, release, totalmem } from 'node:os'
import type { Case } from './cases.ts'

/** What one round of one case showed; the work figures are per request. */
export interface Measurement {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly serverCpuMicroseconds: number
  readonly databaseCpuMicroseconds: number
  readonly rowsRead: number
  readonly rowsWritten: number
  readonly requestsPerCommit: number
}

export type Results = ReadonlyMap<Case, readonly Measurement[]>

/** Of each figure the median over the rounds. */
type Medians = Measurement

const WANTED = [
  { name: 'c-warm', than: 'b', ratio: 4 },
  { name: 'c-warm', than: 'a', ratio: 0.25 },
  { name: 'c-small', than: 'b', ratio: 2.5 },
] as const

export interface Surroundings {
  /** Of PostgreSQL. */
  readonly version: string
  readonly settings: string
  /** Load average of the minute before the run. */
  readonly loadBefore: number
}

export function reportOf(results: Results, surroundings: Surroundings): string {
  const medians = new Map([...results].map(([{ name }, rounds]) => [name, mediansOf(rounds)]))
  const rounds = Math.max(...[...results.values()].map((measurements) => measurements.length))
  return [
    `${machine(surroundings)} Medians of ${rounds} interleaved round${rounds === 1 ? '' : 's'}, ${new Date().toISOString().slice(0, 10)}.`,
    mainTable(results, medians),
    workTable(results, medians),
    wantedLines(medians),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function machine({ version, settings, loadBefore }: Surroundings): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  const memoryGib = Math.round(totalmem() / 2 ** 30)
  return (
    `${cpus().length} cores (${model}), ${memoryGib} GiB, Linux ${release().split('-')[0]}, Node ${process.versions.node}, ` +
    `PostgreSQL ${version} (${settings}); client, server and database share the machine, ` +
    `whose load average before the run was ${loadBefore.toFixed(1)}.`
  )
}

function mainTable(results: Results, medians: ReadonlyMap<string, Medians>): string {
  const rows = [...results.keys()].flatMap((each) => {
    const figures = medians.get(each.name)
    if (figures === undefined || each.server === 'other') return []
    return [[each.title, ...speed(figures), ...ratios(figures, medians), ...cpu(figures)]]
  })
  if (rows.length === 0) return ''
  return table(
    ['', 'requests/s', 'p50 ms', 'p99 ms', 'x (b)', 'x (a)', 'CPU us server', 'CPU us database'],
    rows,
  )
}

function workTable(results: Results, medians: ReadonlyMap<string, Medians>): string {
  const rows = [...results.keys()].flatMap((each) => {
    const figures = medians.get(each.name)
    if (figures === undefined || each.server !== 'other') return []
    const { rowsRead, rowsWritten, requestsPerCommit } = figures
    const work = [rowsRead, rowsWritten, requestsPerCommit].map((figure) => figure.toFixed(1))
    return [[each.title, ...speed(figures), ...cpu(figures), ...work]]
  })
  if (rows.length === 0) return ''
  return table(
    [
      '(c), all users in the LRU',
      'requests/s',
      'p50 ms',
      'p99 ms',
      'CPU us server',
      'CPU us database',
      'rows read',
      'rows written',
      'requests/commit',
    ],
    rows,
  )
}

function speed({ requestsPerSecond, p50Ms, p99Ms }: Medians): string[] {
  return [requestsPerSecond.toFixed(0), p50Ms.toFixed(1), p99Ms.toFixed(1)]
}

function cpu({ serverCpuMicroseconds, databaseCpuMicroseconds }: Medians): string[] {
  return [serverCpuMicroseconds.toFixed(0), databaseCpuMicroseconds.toFixed(0)]
}

function ratios(figures: Medians, medians: ReadonlyMap<string, Medians>): string[] {
  return ['b', 'a'].map((name) => {
    const base = medians.get(name)
    return base === undefined ? '' : (figures.requestsPerSecond / base.requestsPerSecond).toFixed(2)
  })
}

function wantedLines(medians: ReadonlyMap<string, Medians>): string {
  return WANTED.flatMap(({ name, than, ratio }) => {
    const figures = medians.get(name)
    const base = medians.get(than)
    if (figures === undefined || base === undefined) return []
    const found = figures.requestsPerSecond / base.requestsPerSecond
    return [
      `- ${name} >= ${ratio} x ${than}: ${found.toFixed(2)}, ${found >= ratio ? 'reached' : 'MISSED'}`,
    ]
  }).join('\n')
}

function mediansOf(rounds: readonly Measurement[]): Medians {
  const of = (key: keyof Measurement): number => {
    const sorted = rounds.map((round) => round[key]).toSorted((left, right) => left - right)
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  }
  return {
    requestsPerSecond: of('requestsPerSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    serverCpuMicroseconds: of('serverCpuMicroseconds'),
    databaseCpuMicroseconds: of('databaseCpuMicroseconds'),
    rowsRead: of('rowsRead'),
    rowsWritten: of('rowsWritten'),
    requestsPerCommit: of('requestsPerCommit'),
  }
}

/** A Markdown table whose columns also line up in a terminal. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, 3, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}
