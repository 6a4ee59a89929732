import { EventEmitter, once } from 'node:events'
import { expect, it } from '@jest/globals'
import { startBackgroundPass } from '../../src/background-pass.ts'

it('goes on after a failure, never overlaps itself, and stops after the pass under way', async () => {
  const failures: unknown[] = []
  let [running, passes, overlaps] = [0, 0, 0]
  let wasTold = false
  const events = new EventEmitter()
  const third = once(events, 'third')
  const lastPass = once(events, 'finish')
  const background = startBackgroundPass(
    1,
    async (signal) => {
      passes += 1
      running += 1
      if (running > 1) overlaps += 1
      if (passes === 3) {
        events.emit('third')
        await lastPass
        wasTold = signal.aborted
      }
      running -= 1
      if (passes === 1) throw new Error('first')
    },
    (error) => failures.push(error),
  )
  await background.first
  await third
  const stopping = background.stop()
  expect(running).toBe(1)
  events.emit('finish')
  await stopping
  expect({ running, passes, overlaps }).toEqual({ running: 0, passes: 3, overlaps: 0 })
  expect(wasTold).toBe(true)
  expect(failures).toEqual([new Error('first')])
})

it('comes soon when it is woken, once for many calls, also while a pass is under way', async () => {
  let passes = 0
  const events = new EventEmitter()
  const background = startBackgroundPass(
    3_600_000,
    async () => {
      passes += 1
      if (passes === 2) background.wake()
      events.emit(`pass ${passes}`)
    },
    () => undefined,
  )
  await background.first
  const third = once(events, 'pass 3')
  for (let count = 0; count < 100; count += 1) background.wake()
  await third
  await background.stop()
  background.wake()
  expect(passes).toBe(3)
})
