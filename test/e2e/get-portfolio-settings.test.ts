import { expect, it } from '@jest/globals'
import { LotMethod } from '../../gen/portfolio/v1/common_pb.ts'
import { failureOf } from '../support/client.ts'
import { bought, portfolioLog } from '../support/portfolio-log.ts'
import { useService } from '../support/service.ts'

const fixture = useService()
const log = () => portfolioLog(fixture.client)

it('answers the defaults for a portfolio that nobody has set up, and its etag', async () => {
  const recorded = await log().record({ userId: 'plain', transactions: [bought()] })
  const { message } = await log().settings({ userId: 'plain' })
  expect(message.settings).toMatchObject({
    baseCurrency: 'USD',
    lotMethod: LotMethod.FIFO,
    allowShort: false,
    taxJurisdiction: 'NONE',
    timeZone: 'UTC',
    benchmarkSymbols: [],
    etag: recorded.message.etag,
  })
})

it('answers what was set, from every replica', async () => {
  const settings = {
    baseCurrency: 'EUR',
    lotMethod: LotMethod.LIFO,
    allowShort: true,
    taxJurisdiction: 'DE',
    timeZone: 'Europe/Berlin',
    benchmarkSymbols: ['SPY', '^GDAXI'],
  }
  const changed = await log().changeSettings({ userId: 'set up', settings })
  const replica = await fixture.start()
  for (const client of [fixture.client, replica.client]) {
    const { message } = await portfolioLog(client).settings({ userId: 'set up' })
    expect(message.settings).toMatchObject(settings)
    expect(message.settings).toEqual(changed.message.settings)
  }
})

it('is not found for nobody', async () => {
  const failure = await failureOf(log().settings({ userId: 'nobody' }))
  expect(failure).toMatchObject({ code: 'NOT_FOUND', reason: 'PORTFOLIO_NOT_FOUND' })
})

it.each([
  ['', 'USER_ID_REQUIRED'],
  ['a\u0007', 'USER_ID_INVALID'],
])('refuses the user_id %j', async (userId, reason) => {
  const failure = await failureOf(log().settings({ userId }))
  expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', violations: [`user_id ${reason}`] })
})
