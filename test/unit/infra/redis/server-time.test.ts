import { describe, expect, it } from '@jest/globals'
import { readServerInfo, ServerTime } from '../../../../src/infra/redis/server-time.ts'

const SERVER = { run: 'aa', microseconds: 5_000_000_000 }
/** The server was looked at somewhere between 1,000 and 1,030 ms of this process's clock. */
const time = new ServerTime({ server: SERVER, sentMs: 1_000, receivedMs: 1_030 })

describe('the time of the server', () => {
  it.each([990, 1_000, 1_030, 9_000])('is never taken for later than it was: %d ms', (momentMs) => {
    const mark = time.markOf(momentMs)
    for (const lookedMs of [1_000, 1_015, 1_030]) {
      const truth = SERVER.microseconds + (momentMs - lookedMs) * 1_000
      expect(mark.microseconds).toBeLessThanOrEqual(truth)
      expect(time.momentOf({ run: 'aa', microseconds: truth }, 10_000)).toBeLessThanOrEqual(
        momentMs,
      )
    }
    expect(time.momentOf(mark, 10_000)).toBeCloseTo(momentMs - 40, 3)
  })

  it('says nothing of a mark of another run, nor of one of the future', () => {
    const mark = time.markOf(2_000)
    expect(time.momentOf({ ...mark, run: 'ab' }, 10_000)).toBe(-Infinity)
    expect(time.momentOf(mark, 1_900)).toBe(-Infinity)
  })

  it('marks what was never verified as such', () => {
    expect(time.markOf(-Infinity).microseconds).toBe(0)
  })

  it('is read from INFO', () => {
    const info =
      '# Server\r\nredis_version:7.0.15\r\nrun_id:00ff00ff00\r\nserver_time_usec:1700000000000001\r\n'
    expect(readServerInfo(info)).toEqual({ run: '00ff00ff00', microseconds: 1_700_000_000_000_001 })
    expect(readServerInfo('run_id:00ff00ff00\r\n')).toBeUndefined()
    expect(readServerInfo('server_time_usec:17\r\n')).toBeUndefined()
  })
})
