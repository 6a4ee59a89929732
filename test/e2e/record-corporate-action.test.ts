import { describe, expect, it } from '@jest/globals'
import { MarketDataService } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { failureOf } from '../support/client.ts'
import { act, type SentAction, splitOn } from '../support/corporate-actions.ts'
import { useService } from '../support/service.ts'

const { listCorporateActions, reverseCorporateAction } = MarketDataService.method
const fixture = useService()

let names = 0
/** A symbol that no other test has. */
const newName = (): string => `N${(names += 1)}`

const reverse = (request: object) => fixture.client.unary(reverseCorporateAction, request)

describe('RecordCorporateAction', () => {
  it('records once per request_id, and writes to no holder', async () => {
    const symbol = newName()
    await fixture.database.raw.query(
      `insert into holding (user_id, instrument_id, account_id, quantity, unknown_quantity, basis,
        realized, capital, lot_count, transaction_count)
      select 'holder-' || n, $1, '', 0, 0, 0, 0, 0, 0, 1 from generate_series(1, 1000) as n`,
      [symbol],
    )
    const written = async () => {
      const { rows } = await fixture.database.raw.query<{ xmin: string }>(
        'select distinct xmin::text from holding where instrument_id = $1',
        [symbol],
      )
      return rows
    }
    const before = await written()
    const sent = { ...splitOn(symbol, '2024-03-05'), requestId: `once ${symbol}` }
    const first = await act(fixture.client, sent)
    expect(await act(fixture.client, sent)).toBe(first)
    const other = { ...splitOn(symbol, '2024-03-06'), requestId: sent.requestId }
    expect((await failureOf(act(fixture.client, other))).reason).toBe('IDEMPOTENCY_KEY_REUSED')
    const { message } = await fixture.client.unary(listCorporateActions, { instrumentId: symbol })
    expect(message.corporateActions.map(({ corporateActionId }) => corporateActionId)).toEqual([
      first,
    ])
    expect(await written()).toEqual(before)
  })

  it.each([
    [{ exDate: '2024-02-30' }, 'ex_date'],
    [{ instrumentId: '' }, 'instrument_id'],
    [{ action: { case: undefined } }, 'action'],
    [splitOn('X', '2024-03-05', { numerator: 0n, denominator: 1n }), 'split.numerator'],
    [splitOn('X', '2024-03-05', { numerator: 2n, denominator: 2n }), 'split'],
    [{ action: { case: 'merger', value: {} } }, 'merger.cash_per_unit'],
    [{ action: { case: 'merger', value: { ratio: '1', cashPerUnit: '1' } } }, 'merger.ratio'],
    [
      {
        action: {
          case: 'spinOff',
          value: { newInstrumentId: 'Y', ratio: '1', basisFraction: '1.1' },
        },
      },
      'spin_off.basis_fraction',
    ],
    [
      {
        action: {
          case: 'spinOff',
          value: { newInstrumentId: 'X', ratio: '1', basisFraction: '1' },
        },
      },
      'new_instrument_id',
    ],
    [{ action: { case: 'cashDividend', value: {} } }, 'cash_dividend.amount_per_unit'],
  ] as const)('refuses %j', async (sent, field) => {
    const failure = await failureOf(
      act(fixture.client, { ...splitOn('X', '2024-03-05'), ...sent } as SentAction),
    )
    expect(failure.violations.join()).toContain(field)
  })
})

describe('ListCorporateActions', () => {
  it('lists what stands, and what was reversed when it is asked for, in pages', async () => {
    const symbol = newName()
    const ids: string[] = []
    for (const exDate of ['2024-03-07', '2024-03-05', '2024-03-06']) {
      ids.push(await act(fixture.client, splitOn(symbol, exDate)))
    }
    await fixture.client.unary(reverseCorporateAction, { corporateActionId: ids[1]! })
    const list = async (sent: object) => {
      const request = { instrumentId: symbol, ...sent }
      return (await fixture.client.unary(listCorporateActions, request)).message
    }
    const idsOf = ({ corporateActions }: Awaited<ReturnType<typeof list>>) =>
      corporateActions.map(({ corporateActionId }) => corporateActionId)
    expect(idsOf(await list({}))).toEqual([ids[0], ids[2]])
    const first = await list({ pageSize: 2, includeReversed: true })
    expect(idsOf(first)).toEqual(ids.slice(0, 2))
    expect(first.corporateActions[1]!.reversedAt).toBeDefined()
    expect(first.corporateActions[0]!.recorded).toMatchObject(splitOn(symbol, '2024-03-07'))
    const rest = { pageSize: 2, includeReversed: true, pageToken: first.nextPageToken }
    expect(idsOf(await list(rest))).toEqual([ids[2]])
  })
})

describe('ReverseCorporateAction', () => {
  it('takes an action back once', async () => {
    const corporateActionId = await act(fixture.client, splitOn(newName(), '2024-03-05'))
    const sent = { corporateActionId, requestId: `back ${corporateActionId}` }
    await reverse(sent)
    await reverse(sent)
    expect((await failureOf(reverse({ corporateActionId }))).reason).toBe('ALREADY_REVERSED')
    expect((await failureOf(reverse({ corporateActionId: '999999' }))).reason).toBe(
      'ACTION_NOT_FOUND',
    )
  })
})
