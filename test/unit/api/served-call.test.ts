import { EventEmitter, once } from 'node:events'
import { Metadata, status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import type { Span } from '../../../src/app/ports.ts'
import { GrpcCall } from '../../../src/api/grpc-call.ts'
import type { Edge } from '../../../src/api/served-call.ts'
import { PortfolioError } from '../../../src/domain/errors.ts'

class Call extends EventEmitter {
  readonly metadata = new Metadata()
  sent: Metadata | undefined
  deadline: number | Date = Infinity

  getDeadline(): number | Date {
    return this.deadline
  }

  sendMetadata(metadata: Metadata): void {
    this.sent = metadata
  }
}

const calls: Call[] = []
// Whatever a test leaves open has a timer.
afterEach(() => {
  for (const call of calls.splice(0)) call.emit('cancelled')
})

function setUp(timeMsMax = 60_000) {
  const spanFailures: unknown[] = []
  const span: Span = {
    child: () => span,
    setAttribute() {},
    fail: (error) => spanFailures.push(error),
    end() {},
  }
  const ended: string[] = []
  const logged: unknown[] = []
  const answers: (status | undefined)[] = []
  const edge: Edge = {
    clock: { now: () => 0, monotonicMs: () => performance.now() },
    telemetry: {
      startCall: () => span,
      callEnded: (method, code) => ended.push(`${method} ${code}`),
      batchCommitted() {},
      batchFailed() {},
      quotesIngested() {},
      backgroundFailed() {},
    },
    logFailure: (error) => logged.push(error),
    isDraining: false,
    streams: new Set(),
  }
  const call = new Call()
  calls.push(call)
  const serve = () =>
    new GrpcCall({ name: 's/M', timeMsMax }, edge, call, (error) => {
      answers.push(error?.code)
      call.emit('answered')
    })
  return { call, edge, serve, ended, logged, answers, spanFailures }
}

describe('a call', () => {
  it('is given up at the end of its time, and its work is told', async () => {
    const { call, serve, ended, answers } = setUp(5)
    const served = serve()
    const { signal } = served
    await once(call, 'answered')
    expect(answers).toEqual([status.DEADLINE_EXCEEDED])
    expect(signal.aborted).toBe(true)
    served.fail(new Error('of work that went on'))
    expect(answers).toHaveLength(1)
    expect(ended).toEqual(['s/M DEADLINE_EXCEEDED'])
  })

  it("ends with its client's deadline when that is earlier", () => {
    const { call, serve } = setUp(60_000)
    call.deadline = new Date(Date.now() + 1_000)
    const before = performance.now()
    const { deadlineMs } = serve()
    expect(deadlineMs).toBeGreaterThan(before + 900)
    expect(deadlineMs).toBeLessThan(performance.now() + 1_001)
  })

  it('is told that its client has left', () => {
    const { call, serve, ended, answers } = setUp()
    const served = serve()
    expect(served.signal.aborted).toBe(false)
    call.emit('cancelled')
    expect(served.signal.aborted).toBe(true)
    expect({ ended, answers }).toEqual({ ended: ['s/M CANCELLED'], answers: [] })
  })

  it('is late, not left, when its client goes at the deadline', () => {
    const { call, serve, ended } = setUp()
    call.deadline = Date.now() - 1
    serve()
    call.emit('cancelled')
    expect(ended).toEqual(['s/M DEADLINE_EXCEEDED'])
  })

  it('tells work that asks after its end to stop', () => {
    const { serve } = setUp()
    const served = serve()
    served.succeed(undefined)
    expect(served.signal.aborted).toBe(true)
  })

  it('keeps no timer once it is answered', () => {
    jest.useFakeTimers()
    try {
      const { serve } = setUp()
      const served = serve()
      expect(jest.getTimerCount()).toBe(1)
      served.succeed(undefined)
      expect(jest.getTimerCount()).toBe(0)
    } finally {
      jest.useRealTimers()
    }
  })

  it('has a timer only where its client would wait for too long', () => {
    jest.useFakeTimers()
    try {
      const { call, serve } = setUp(60_000)
      call.deadline = Date.now() + 1_000
      serve()
      expect(jest.getTimerCount()).toBe(0)
    } finally {
      jest.useRealTimers()
    }
  })

  it('counts once, though grpc-js says cancelled after each', () => {
    const { call, serve, ended } = setUp()
    serve().succeed(new Map([['name', ['1', '2']]]))
    call.emit('cancelled')
    expect(ended).toEqual(['s/M OK'])
    expect(call.sent?.get('name')).toEqual(['1', '2'])
  })

  it('is refused while the server shuts down', () => {
    const { edge, serve, answers } = setUp()
    const served = serve()
    edge.isDraining = true
    expect(() => served.admit()).toThrow(expect.objectContaining({ reason: 'DRAINING' }))
    served.fail(new PortfolioError('DRAINING', 'the server is shutting down'))
    expect(answers).toEqual([status.UNAVAILABLE])
  })

  it('logs what operators have to see, and no refusals', () => {
    const { serve, logged } = setUp()
    const surprise = new Error('surprise')
    const hidden = new PortfolioError('DATABASE_UNAVAILABLE', 'down', { cause: surprise })
    serve().fail(surprise)
    serve().fail(hidden)
    serve().fail(new PortfolioError('PORTFOLIO_NOT_FOUND', 'none'))
    expect(logged).toEqual([surprise, hidden])
  })

  it('marks its span as failed by surprises alone', () => {
    const { serve, spanFailures } = setUp()
    const surprise = new Error('surprise')
    serve().fail(new PortfolioError('PORTFOLIO_NOT_FOUND', 'none'))
    serve().fail(surprise)
    expect(spanFailures).toEqual([surprise])
  })

  it('logs surprises after its end, but not that a stream broke when its client left', () => {
    const { call, serve, logged } = setUp()
    const broken = Object.assign(new Error('broken'), { code: 'ERR_STREAM_PREMATURE_CLOSE' })
    const surprise = new Error('surprise')
    const served = serve()
    call.emit('cancelled')
    served.fail(broken)
    served.fail(surprise)
    serve().fail(broken)
    expect(logged).toEqual([surprise, broken])
  })

  it.each([
    ['trade 7', true],
    ['x'.repeat(128), true],
    ['x'.repeat(129), false],
    [' padded', false],
    ['', false],
  ])('takes over the request id %j: %s', (requestId, isTaken) => {
    const { call, serve } = setUp()
    call.metadata.set('x-request-id', requestId)
    expect(serve().requestId === requestId).toBe(isTaken)
  })
})
