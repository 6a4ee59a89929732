import {
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span as OpenTelemetrySpan,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import type { Resource } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import type { Span } from '../../app/ports.ts'

export interface Tracing {
  startCall(method: string, traceparent: string | undefined): Span
  /** Sends what is left. */
  close(): Promise<void>
}

/** What a service without tracing hands out: one span for everything. */
const NO_SPAN: Span = {
  child: () => NO_SPAN,
  setAttribute() {},
  fail() {},
  end() {},
}

export const NO_TRACING: Tracing = {
  startCall: () => NO_SPAN,
  close: () => Promise.resolve(),
}

/** Spans over OTLP (http/protobuf); endpoint, headers and sampler are those of OpenTelemetry's own variables. */
export function openTracing(
  resource: Resource,
  processor: SpanProcessor = new BatchSpanProcessor(new OTLPTraceExporter()),
): Tracing {
  const provider = new NodeTracerProvider({ resource, spanProcessors: [processor] })
  const tracer = provider.getTracer('portfolio-tracking-service')
  return {
    startCall(method, traceparent) {
      const [service = '', name = ''] = method.split('/')
      const attributes = { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': name }
      const options = { kind: SpanKind.SERVER, attributes }
      return new TracedSpan(tracer, tracer.startSpan(method, options, parentOf(traceparent)))
    },
    close: () => provider.shutdown(),
  }
}

class TracedSpan implements Span {
  readonly #tracer: Tracer
  readonly #span: OpenTelemetrySpan

  constructor(tracer: Tracer, span: OpenTelemetrySpan) {
    this.#tracer = tracer
    this.#span = span
  }

  child(name: string, links: readonly Span[] = []): Span {
    const options = {
      links: links.flatMap((link) =>
        link instanceof TracedSpan ? [{ context: link.#span.spanContext() }] : [],
      ),
    }
    const parent = trace.setSpan(ROOT_CONTEXT, this.#span)
    return new TracedSpan(this.#tracer, this.#tracer.startSpan(name, options, parent))
  }

  setAttribute(name: string, value: string | number | boolean): void {
    this.#span.setAttribute(name, value)
  }

  fail(error: unknown): void {
    const { name, message } = error instanceof Error ? error : new Error(String(error))
    this.#span.recordException({ name, message })
    this.#span.setStatus({ code: SpanStatusCode.ERROR })
  }

  end(): void {
    this.#span.end()
  }
}

/** W3C Trace Context, version 00; what a later version appends is not read. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/

function parentOf(traceparent: string | undefined): Context {
  const match = traceparent === undefined ? null : TRACEPARENT.exec(traceparent)
  if (match === null) return ROOT_CONTEXT
  const [, traceId = '', spanId = '', flags = ''] = match
  const remote = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
  return isSpanContextValid(remote) ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT
}
