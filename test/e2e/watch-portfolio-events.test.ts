import { expect, it } from '@jest/globals'
import { PortfolioUpdateRequest_PortfolioTransaction_TransactionType } from '../../gen/portfolio/v1/portfolio_update_pb.ts'
import { failureOf } from '../support/client.ts'
import { waitUntil } from '../support/store.ts'
import { buy, purchase, useWatch, type WatchRequest } from '../support/watch.ts'

const { SELL } = PortfolioUpdateRequest_PortfolioTransaction_TransactionType
const fixture = useWatch()

it('sends heartbeats, and of a user without a portfolio nothing else until its first change', async () => {
  const [userId = ''] = fixture.users('newcomer')
  const service = await fixture.start({ heartbeatMs: 20 })
  const stream = fixture.watch(service, { userIds: [userId] })
  for (let count = 0; count < 3; count += 1) {
    const { userId: of, event } = await stream.next()
    expect(of).toBe('')
    expect(event.case).toBe('heartbeat')
  }
  const { headers } = await service.client.update(purchase(userId))
  const { userId: of, value } = await stream.nextOf('change')
  expect([of, value.version, value.etag]).toEqual([userId, 1n, headers['portfolio-etag']])
  expect((await stream.next()).event.case).toBe('heartbeat')
  // It goes on from nothing, too.
  const resumed = fixture.watch(service, { userIds: [userId], resumeToken: stream.resumeToken })
  await buy(service.client, userId)
  expect(await resumed.changes(1)).toMatchObject([{ version: 2n }])
})

it('sends repricings that move the total by more than min_move, measured from what was sent last', async () => {
  const [userId = ''] = fixture.users('priced')
  const [service, other] = [await fixture.start({ repricingMs: 1 }), await fixture.start()]
  await service.client.ingest({ quotes: [{ symbol: 'MOVE', price: '100' }] })
  await service.client.update(purchase(userId, 10, 'MOVE'))
  const stream = fixture.watch(service, { userIds: [userId], minMove: '0.05' })
  const silent = fixture.watch(service, { userIds: [userId] })
  expect((await stream.nextOf('snapshot')).value.portfolio?.totalValue).toBe(1_000)
  await silent.nextOf('snapshot')
  const reprice = (price: string, replica = service) =>
    replica.client.ingest({ quotes: [{ symbol: 'MOVE', price }] })
  // 5 % exactly is not more; the next is 6 % from the snapshot, though 1 % from its predecessor.
  await reprice('105')
  await reprice('106')
  expect((await stream.nextOf('repriced')).value.totalValue).toBe(1_060)
  // 3 % from what was sent; then a change is sent, and 1,070 x 2 is what counts from then on.
  await reprice('109')
  await buy(service.client, userId, 0.5)
  await stream.changes(1)
  await reprice('106')
  // A quote that another replica took in.
  await reprice('120', other)
  expect((await stream.nextOf('repriced')).value.totalValue).toBe(1_200 + 50)
  // The stream without min_move was told of the change alone.
  await silent.changes(1)
  await buy(service.client, userId)
  await silent.changes(1)
})

it('sends a heartbeat only after every change that was committed before it', async () => {
  const [userId = ''] = fixture.users('beating')
  const service = await fixture.start({ heartbeatMs: 5 })
  await buy(service.client, userId)
  const stream = fixture.watch(service, { userIds: [userId] })
  await stream.nextOf('snapshot')
  for (let version = 2; version <= 6; version += 1) {
    // Nothing hints at it: only a look at the database can find it.
    await fixture.database.raw.query(
      `with changed as (insert into outbox values ($1, $2, 0, now(), 'etag', $2, $2))
       update portfolio set version = $2 where user_id = $1`,
      [userId, version],
    )
    const committedMs = Date.now()
    const beats: number[] = []
    for (let isFound = false; !isFound;) {
      const { event } = await stream.next()
      isFound = event.case === 'change' && event.value.version === BigInt(version)
      if (event.case === 'heartbeat') {
        const { seconds, nanos } = event.value.sentAt!
        beats.push(Number(seconds) * 1_000 + nanos / 1_000_000)
      }
    }
    expect(beats.filter((sentMs) => sentMs > committedMs)).toEqual([])
  }
})

it('sends at most one repricing of a user in its time, whatever the prices do', async () => {
  const [userId = '', other = ''] = fixture.users('coalesced', 'other')
  const service = await fixture.start({ repricingMs: 60_000, heartbeatMs: 20 })
  const price = (value: string) =>
    service.client.ingest({ quotes: [{ symbol: 'JUMP', price: value }] })
  await price('1')
  for (const owner of [userId, other]) await service.client.update(purchase(owner, 1, 'JUMP'))
  const stream = fixture.watch(service, { userIds: [userId, other], minMove: '0' })
  await stream.nextOf('snapshot')
  await stream.nextOf('snapshot')
  await price('1.1')
  const sent = [await stream.nextOf('repriced'), await stream.nextOf('repriced')]
  expect(sent.map((message) => message.userId)).toEqual([userId, other])
  for (const value of ['1.2', '1.3', '1.4']) await price(value)
  for (let count = 0; count < 3; count += 1) {
    expect((await stream.next()).event.case).toBe('heartbeat')
  }
})

it('sends the present state to who was sent changes that the database has lost', async () => {
  const userIds = fixture.users('restored')
  const service = await fixture.start()
  await buy(service.client, userIds[0]!)
  await buy(service.client, userIds[0]!)
  const stream = fixture.watch(service, { userIds })
  await stream.nextOf('snapshot')
  stream.close()
  // A backup of before the second change.
  await fixture.database.raw.query('update portfolio set version = 1 where user_id = any($1)', [
    userIds,
  ])
  const resumed = fixture.watch(service, { userIds, resumeToken: stream.resumeToken })
  expect((await resumed.nextOf('snapshot')).value.detail?.version).toBe(1n)
})

it('has an outbox row for each committed change, and for nothing else', async () => {
  const [userId = '', refused = '', broken = ''] = fixture.users('written', 'refused', 'broken')
  const { client } = await fixture.start()
  await buy(client, userId)
  await client.update(purchase(userId), { 'idempotency-key': 'once' })
  await client.update(purchase(userId), { 'idempotency-key': 'once' })
  await client.update(purchase(userId), { 'portfolio-validate-only': 'true' })
  const nothing = await failureOf(client.update(purchase(refused, -1)))
  expect(nothing.reason).toBe('QUANTITY_INVALID')
  const sale = {
    userId: refused,
    transactions: [{ symbol: 'AAPL', type: SELL, quantity: 1, price: 1 }],
  }
  await expect(client.update(sale)).rejects.toMatchObject({ reason: 'INSUFFICIENT_QUANTITY' })
  // The transaction fails after its outbox row was written.
  await fixture.database.raw.query(
    `alter table portfolio add constraint refuses check (user_id <> '${broken}' or version = 0)`,
  )
  await expect(client.update(purchase(broken))).rejects.toMatchObject({ code: 'INTERNAL' })
  await fixture.database.raw.query('alter table portfolio drop constraint refuses')

  const versions = async (): Promise<unknown> => {
    const { rows } = await fixture.database.raw.query<{ user_id: string }>(
      `select user_id, version::int from outbox where user_id = any($1) order by 1, 2`,
      [[userId, refused, broken]],
    )
    return rows
  }
  expect(await versions()).toEqual([
    { user_id: userId, version: 1 },
    { user_id: userId, version: 2 },
  ])
})

it('refuses what it cannot watch, and names all of it', async () => {
  const userIds = fixture.users('a', 'b')
  const service = await fixture.start()
  const failure = (request: WatchRequest) =>
    fixture.watch(service, request, { headers: { 'x-request-id': 'asked' } }).ended
  expect(await failure({})).toMatchObject({
    code: 'INVALID_ARGUMENT',
    reason: 'USER_ID_REQUIRED',
    requestId: 'asked',
  })
  const many = Array.from({ length: 101 }, (_, index) => `user-${index}`)
  expect(await failure({ userIds: many })).toMatchObject({
    code: 'INVALID_ARGUMENT',
    reason: 'TOO_MANY_USERS',
    info: { metadata: { actual: '101', maximum: '100' } },
  })
  const wrong = { userIds: ['a', '', 'b\u0000'], minMove: '-0.1', resumeToken: 'nonsense' }
  expect((await failure(wrong)).violations).toEqual([
    'user_ids[1] USER_ID_REQUIRED',
    'user_ids[2] USER_ID_INVALID',
    'min_move MIN_MOVE_INVALID',
    'resume_token RESUME_TOKEN_INVALID',
  ])
  await buy(service.client, userIds[0]!)
  const stream = fixture.watch(service, { userIds })
  await stream.nextOf('snapshot')
  const others = { userIds: [...userIds, 'c'], resumeToken: stream.resumeToken }
  expect(await failure(others)).toMatchObject({ reason: 'RESUME_TOKEN_INVALID' })
})

it('ends with the deadline, and leaves nothing behind when its client goes', async () => {
  const userIds = fixture.users('left')
  const service = await fixture.start({ heartbeatMs: 20 })
  const stream = fixture.watch(service, { userIds }, { headers: { 'grpc-timeout': '200m' } })
  expect((await stream.ended).code).toBe('DEADLINE_EXCEEDED')
  const left = fixture.watch(service, { userIds })
  await left.next()
  left.close()
  await waitUntil(async () => (await left.ended).code === 'CANCELLED')
  // A drain has no stream to wait for.
  await service.close()
  expect(service.log.filter((line) => line.includes('a call failed'))).toEqual([])
})

it('ends rather than send heartbeats that would be untrue when the database does not answer', async () => {
  const userIds = fixture.users('cut')
  const proxy = await fixture.database.openProxy()
  const service = await fixture.start({ heartbeatMs: 20 }, proxy.url)
  await buy(service.client, userIds[0]!)
  const stream = fixture.watch(service, { userIds })
  await stream.nextOf('snapshot')
  expect((await stream.next()).event.case).toBe('heartbeat')
  await proxy.close()

  expect(await stream.ended).toMatchObject({ code: 'UNAVAILABLE', reason: 'DATABASE_UNAVAILABLE' })
})
