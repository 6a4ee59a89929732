import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { systemClock } from '../../src/system-clock.ts'

afterEach(() => {
  jest.restoreAllMocks()
})

describe('systemClock', () => {
  it('tells no moment twice, and none before the last, even when the system steps back', () => {
    const systemMs = jest.spyOn(Date, 'now').mockReturnValue(2_000)
    const clock = systemClock()
    expect([clock.now(), clock.now()]).toEqual([2_000_000, 2_000_001])
    systemMs.mockReturnValue(1_000)
    expect(clock.now()).toBe(2_000_002)
    systemMs.mockReturnValue(3_000)
    expect(clock.now()).toBe(3_000_000)
  })
})
