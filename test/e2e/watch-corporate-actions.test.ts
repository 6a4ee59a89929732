import { expect, it } from '@jest/globals'
import {
  MarketDataService,
  type RecordCorporateActionRequest,
} from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { act, splitOn } from '../support/corporate-actions.ts'
import { buy, purchase, useWatch, type WatchStream } from '../support/watch.ts'

const { reverseCorporateAction } = MarketDataService.method
const fixture = useWatch()

let names = 0
/** A symbol that no other test has. */
const newName = (): string => `WCA${(names += 1)}`

async function quantityOf(stream: WatchStream, symbol: string): Promise<unknown> {
  const { userId, value } = await stream.nextOf('snapshot')
  const asset = value.portfolio!.assets.find((one) => one.symbol === symbol)
  return [userId, asset?.quantity, value.detail!.version]
}

it('sends the state anew, on every replica, to whom a corporate action changes and to nobody else', async () => {
  const [holder = '', other = ''] = fixture.users('holder', 'other')
  const symbol = newName()
  const replicas = [await fixture.start(), await fixture.start()]
  const [here, there] = [replicas[0]!, replicas[1]!]
  await here.client.update(purchase(holder, 10, symbol))
  await buy(here.client, other)
  const streams = replicas.map((replica) => fixture.watch(replica, { userIds: [holder, other] }))
  for (const stream of streams) {
    expect(await quantityOf(stream, symbol)).toEqual([holder, 10, 1n])
    await stream.nextOf('snapshot')
  }
  // Held by neither, or not in force yet: the next message is another's.
  await act(here.client, splitOn(newName(), '2024-03-05'))
  const actionId = await act(here.client, splitOn(symbol, tomorrow()))
  await buy(here.client, other)
  for (const stream of streams) await stream.changes(1)
  await here.client.unary(reverseCorporateAction, { corporateActionId: actionId })
  await here.client.update({
    userId: holder,
    transactions: [{ symbol, quantity: 5, price: 100, timestamp: 1_709_000_000n }],
  })
  for (const stream of streams) await stream.changes(1)
  const past = await act(there.client, splitOn(symbol, '2024-03-05'))
  for (const stream of streams) expect(await quantityOf(stream, symbol)).toEqual([holder, 30, 2n])
  await there.client.unary(reverseCorporateAction, { corporateActionId: past })
  for (const stream of streams) expect(await quantityOf(stream, symbol)).toEqual([holder, 15, 2n])
})

it('goes on after a stream that was told of an action, and tells one that was not', async () => {
  const [userId = ''] = fixture.users('resuming')
  const symbol = newName()
  const service = await fixture.start()
  await service.client.update({
    userId,
    transactions: [{ symbol, quantity: 5, price: 100, timestamp: 1_709_000_000n }],
  })
  const stream = fixture.watch(service, { userIds: [userId] })
  await stream.nextOf('snapshot')
  const before = stream.resumeToken
  await act(service.client, splitOn(symbol, '2024-03-05'))
  expect(await quantityOf(stream, symbol)).toEqual([userId, 20, 1n])
  await act(service.client, splitOn(symbol, '2024-03-06', { numerator: 2n, denominator: 1n }))
  expect(await quantityOf(stream, symbol)).toEqual([userId, 40, 1n])
  const late = fixture.watch(service, { userIds: [userId], resumeToken: before })
  expect(await quantityOf(late, symbol)).toEqual([userId, 40, 1n])
  await buy(service.client, userId)
  await stream.changes(1)
  const told = fixture.watch(service, { userIds: [userId], resumeToken: stream.resumeToken })
  await buy(service.client, userId)
  expect(await told.changes(1)).toMatchObject([{ version: 3n }])
})

function tomorrow(): RecordCorporateActionRequest['exDate'] {
  return new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
}
