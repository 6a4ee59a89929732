import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runCli as runCommand } from '../support/cli.ts'
import { useService } from '../support/service.ts'

const running = useService()
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portfolio-import-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function runCli(
  args: readonly string[],
  onErrors?: Parameters<typeof runCommand>[2],
): ReturnType<typeof runCommand> {
  return runCommand(args, { TARGET: `127.0.0.1:${running.service.ports.grpc}` }, onErrors)
}

async function fileOf(name: string, lines: readonly string[]): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, `${lines.join('\n')}\n`)
  return path
}

/** What was recorded of a user, without what a clock or a request says. */
async function recorded(userId: string) {
  const { raw } = running.database
  const [ledger, holdings, cash] = await Promise.all([
    raw.query(
      `select sequence::int, effective_at::text, instrument_id, account_id, type, quantity::text,
        price::text, terms from ledger where user_id = $1 order by sequence`,
      [userId],
    ),
    raw.query(
      `select instrument_id, account_id, quantity::text, basis::text, realized::text, income::text,
        fees::text, taxes::text from holding where user_id = $1 order by 1, 2`,
      [userId],
    ),
    raw.query(`select currency, amount::text from cash where user_id = $1 order by 1`, [userId]),
  ])
  return { ledger: ledger.rows as object[], holdings: holdings.rows, cash: cash.rows }
}

function dayText(day: number): string {
  return new Date(Date.UTC(2020, 0, 1 + day)).toISOString().slice(0, 10)
}

test('a file is recorded, and recorded again it changes nothing', async () => {
  const path = await fileOf('all-types.csv', [
    'Statement of account 1',
    'Trade Date,Action,Ticker,Shares,Price,Amount,Commission,Tax,Currency,Account',
    '2024-01-02,Deposit,,,,"$10,000.00",,,,',
    '2024-01-03,Bought,AAPL,10,100,,1.00,,USD,main',
    '2024-01-03,Bought,AAPL,10,100,,1.00,,USD,main',
    '2024-01-04,Sold,aapl,-5,110,550,-1,,USD,main',
    '2024-01-05,Cash Dividend,AAPL,15,0.24,3.60,,0.54,USD,main',
    '2024-01-06,Interest,,,,1.23,,,,',
    '2024-01-07,Fee,,,,-2.5,,,,',
    '2024-01-08,Tax,,,,2,,,,',
    '2024-01-09,Transfer In,MSFT,4,50,,,,,main',
    '2024-01-10,Transfer,MSFT,-1,,,,,,main',
    '2024-01-11,Staking Reward,ETH,0.01,2000,,,,,',
    '2024-01-12,Return of Capital,MSFT,,,3,,,,main',
    '2024-01-13,Withdrawal,,,,100,,,,',
  ])
  const first = await runCli(['import', path, '--user', 'twice'])
  expect(first.errors).toMatch(/checked: 13 of 13\n[^]*recorded: 13 of 13\n/)
  expect(first.output).toBe('13 rows recorded, 0 had been before, 0 rejected\n')
  expect(first.code).toBe(0)
  const after = await recorded('twice')
  expect(after.ledger).toHaveLength(13)
  expect(after.holdings).toContainEqual(
    expect.objectContaining({ instrument_id: 'AAPL', quantity: '15', income: '3.6' }),
  )
  const again = await runCli(['import', path, '--user', 'twice'])
  expect(again).toMatchObject({
    code: 0,
    output: '0 rows recorded, 13 had been before, 0 rejected\n',
  })
  expect(await recorded('twice')).toEqual(after)
})

test('a dry run records nothing', async () => {
  const path = await fileOf('dry.csv', [
    'Date,Type,Symbol,Quantity,Price',
    '2024-01-03,Buy,AAPL,10,100',
    '2024-01-04,Sell,AAPL,11,100',
  ])
  const { code, output } = await runCli(['import', path, '--user', 'dry', '--dry-run'])
  expect(code).toBe(1)
  expect(output).toBe('')
  expect((await recorded('dry')).ledger).toEqual([])
})

test('a dry run leaves open what only the rows of earlier requests can tell', async () => {
  const buys = Array.from({ length: 200 }, (_, day) => `${dayText(day)},Buy,LATE,1,10`)
  const path = await fileOf('late.csv', [
    'Date,Type,Symbol,Quantity,Price',
    ...buys,
    '2021-01-01,Sell,LATE,200,11',
  ])
  const dry = await runCli(['import', path, '--user', 'late', '--dry-run'])
  expect(dry).toMatchObject({
    code: 0,
    output:
      'dry run, nothing recorded: 200 rows are sound, 1 that depend on rows before them, 0 rejected\n',
  })
  expect((await recorded('late')).ledger).toEqual([])
  const { code, output } = await runCli(['import', path, '--user', 'late'])
  expect({ code, output }).toEqual({
    code: 0,
    output: '201 rows recorded, 0 had been before, 0 rejected\n',
  })
})

test('every rejected row is named by its line, and the rest of its request is recorded', async () => {
  const sound = Array.from(
    { length: 300 },
    (_, day) => `${dayText(day)},Buy,OK${day % 3},2,10,id-${day}`,
  )
  const lines = ['Date,Type,Symbol,Quantity,Price,Id', ...sound]
  lines.splice(11, 0, '2020-01-05,Buy,NO SYMBOL!,1,1,bad-symbol')
  lines.splice(21, 0, '2020-01-06,Sell,OK0,1000000,1,bad-sale')
  lines.splice(22, 0, '2020-01-06,Sell,OK1,1000000,1,bad-sale-2')
  lines.splice(23, 0, '2020-01-06,Gift,OK1,1,1,bad-type')
  lines.splice(24, 0, '2020-02-30,Buy,OK1,1,1,bad-day')
  lines.splice(280, 0, '2020-09-06,Sell,OK2,1000000,1,bad-late-sale')
  lines.push('2020-01-06,Buy,OK1,1,1,id-7')
  const path = await fileOf('bad.csv', lines)
  const { code, output, errors } = await runCli(['import', path, '--user', 'bad'])
  expect({ code, output }).toEqual({ code: 1, output: '' })
  const named = errors.split('\n').filter((line) => line.startsWith('line '))
  expect(named.map((line) => /^line (\d+): /.exec(line)![1])).toEqual([
    '12',
    '22',
    '23',
    '24',
    '25',
    '281',
    '308',
  ])
  expect(named[0]).toMatch(/SYMBOL_INVALID/)
  expect(named[1]).toMatch(/INSUFFICIENT_QUANTITY/)
  expect(errors).toMatch(/300 rows recorded, 0 had been before, 7 rejected\n$/)
  const after = await recorded('bad')
  expect(after.ledger).toHaveLength(300)
  const good = await fileOf('good.csv', ['Date,Type,Symbol,Quantity,Price,Id', ...sound])
  expect(await runCli(['import', good, '--user', 'good'])).toMatchObject({ code: 0 })
  expect((await recorded('good')).holdings).toEqual(after.holdings)
})

test('a run that is killed in the middle and repeated records what one run does', async () => {
  const rows = Array.from({ length: 4_000 }, (_, index) => {
    const action = index > 100 && index % 5 === 4 ? 'Sell' : 'Buy'
    return `${dayText(Math.floor(index / 4))},${action},S${index % 7},${1 + (index % 3)},${10 + (index % 11)}`
  })
  const path = await fileOf('long.csv', ['Date,Action,Symbol,Qty,Price', ...rows])
  const killed = await runCli(['import', path, '--user', 'killed'], (errors, child) => {
    if (errors.includes('recorded: ')) child.kill('SIGKILL')
  })
  expect(killed.code).toBeNull()
  const { ledger } = await recorded('killed')
  expect(ledger.length).toBeGreaterThan(0)
  expect(ledger.length).toBeLessThan(rows.length)
  const resumed = await runCli(['import', path, '--user', 'killed'])
  const whole = await runCli(['import', path, '--user', 'whole'])
  expect([resumed.code, whole.code]).toEqual([0, 0])
  expect(resumed.output).toMatch(/^\d+ rows recorded, [1-9]\d* had been before, 0 rejected\n$/)
  expect(await recorded('killed')).toEqual(await recorded('whole'))
}, 90_000)

test('what is given wrong is said', async () => {
  const noUser = await runCli(['import', 'x.csv'])
  expect(noUser.code).toBe(2)
  expect(noUser.errors).toMatch(/^usage: cli import FILE --user USER/)
  const unknown = await runCli(['import', 'x.csv', '--user', 'u', '--fast'])
  expect(unknown).toMatchObject({ code: 2, errors: expect.stringMatching(/--fast/) })
  const missing = await runCli(['import', join(folder, 'missing.csv'), '--user', 'u'])
  expect(missing).toMatchObject({ code: 1, errors: expect.stringMatching(/missing\.csv/) })
})
