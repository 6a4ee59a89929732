import { EventEmitter, once } from 'node:events'
import { expect, it } from '@jest/globals'
import { startBackgroundPass } from '../../src/background-pass.ts'

it('goes on after a failure, never overlaps itself, and stops after the pass under way', async () => {
  const failures: unknown[] = []
  let [running, passes, overlaps] = [0, 0, 0]
  const events = new EventEmitter()
  const third = once(events, 'third')
  const lastPass = once(events, 'finish')
  const background = startBackgroundPass(
    1,
    async () => {
      passes += 1
      running += 1
      if (running > 1) overlaps += 1
      if (passes === 3) {
        events.emit('third')
        await lastPass
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
  expect(failures).toEqual([new Error('first')])
})
