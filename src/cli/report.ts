import { writeFile } from 'node:fs/promises'
import type { REPORT_PARAMETERS } from '../api/report-request.ts'
import { ImportUsageError, readArguments } from './arguments.ts'

const REPORT_MS_MAX = 30_000

const USAGE = `usage: cli report USER --out FILE.html [options]
  --out FILE              where the page is written
  --benchmark SYMBOL      what the portfolio is held against, such as ^GSPC
  --from YYYY-MM-DD       first day; else that of the first transaction
  --to YYYY-MM-DD         last day; else today
  --currency CODE         of the amounts; else the portfolio's own
  --target HOST:PORT      HTTP of the running service; else HTTP_PORT of this environment`

/** The service refused, or did not answer. */
export class ReportFailed extends Error {
  override readonly name = 'ReportFailed'
}

/**
 * Writes a portfolio's report, which a running service makes, to a file.
 * @param defaultTarget host:port; undefined = HTTP is off here, and the command has to say one.
 * @returns what was done.
 * @throws ImportUsageError, ReportFailed with what the service says.
 */
export async function writeReport(
  args: readonly string[],
  defaultTarget: string | undefined,
): Promise<string> {
  const { file: user, values } = readArguments(args, USAGE, {
    out: { type: 'string' },
    benchmark: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    currency: { type: 'string' },
    target: { type: 'string' },
  })
  const target = values.target ?? defaultTarget
  if (values.out === undefined || target === undefined) throw new ImportUsageError(USAGE)
  const page = await fetchReport(target, {
    user_id: user,
    benchmark: values.benchmark,
    start_date: values.from,
    end_date: values.to,
    reporting_currency: values.currency,
  })
  await writeFile(values.out, page)
  return `${values.out} written`
}

async function fetchReport(
  target: string,
  parameters: Readonly<Record<keyof typeof REPORT_PARAMETERS, string | undefined>>,
): Promise<string> {
  const url = new URL(`http://${target}/report`)
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  const answer = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(REPORT_MS_MAX),
  }).catch((error: unknown) => {
    throw new ReportFailed(`${target} does not answer`, { cause: error })
  })
  const text = await answer.text()
  if (answer.ok) return text
  throw new ReportFailed(`${target} refused with ${answer.status}: ${messageOf(text)}`)
}

/** What google.rpc.Status says, or the whole where it is none. */
function messageOf(body: string): string {
  try {
    return String((JSON.parse(body) as { message?: unknown }).message)
  } catch {
    return body
  }
}
