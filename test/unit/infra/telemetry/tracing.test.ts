import { resourceFromAttributes } from '@opentelemetry/resources'
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import { expect, it } from '@jest/globals'
import { openTracing } from '../../../../src/infra/telemetry/tracing.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const METHOD = 'portfolio.v1.PortfolioService/UpdatePortfolio'

function setUp() {
  const exporter = new InMemorySpanExporter()
  const processor = new SimpleSpanProcessor(exporter)
  return { exporter, tracing: openTracing(resourceFromAttributes({}), processor) }
}

it("continues the caller's trace down to the parts of a call, linked ones included", () => {
  const { exporter, tracing } = setUp()
  const call = tracing.startCall(METHOD, `00-${TRACE}-b7ad6b7169203331-01`)
  const other = tracing.startCall(METHOD, undefined)
  const commit = call.child('commit', [other])
  commit.setAttribute('portfolio.batch_size', 2)
  commit.fail(new Error('no'))
  for (const span of [commit, call, other]) span.end()
  const [commitSpan, callSpan, otherSpan] = exporter.getFinishedSpans()
  expect(callSpan).toMatchObject({
    name: METHOD,
    attributes: { 'rpc.service': 'portfolio.v1.PortfolioService', 'rpc.method': 'UpdatePortfolio' },
    parentSpanContext: { traceId: TRACE, spanId: 'b7ad6b7169203331' },
  })
  expect(callSpan!.spanContext().traceId).toBe(TRACE)
  expect(commitSpan).toMatchObject({
    parentSpanContext: { spanId: callSpan!.spanContext().spanId },
    attributes: { 'portfolio.batch_size': 2 },
    status: { code: 2 },
  })
  expect(commitSpan!.links.map(({ context }) => context)).toEqual([otherSpan!.spanContext()])
})

it.each([
  'nonsense',
  `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `ff-${TRACE}-b7ad6b7169203331-01`,
])('begins a trace of its own where traceparent is %s', (traceparent) => {
  const { exporter, tracing } = setUp()
  tracing.startCall(METHOD, traceparent).end()
  expect(exporter.getFinishedSpans()[0]!.parentSpanContext).toBeUndefined()
})
