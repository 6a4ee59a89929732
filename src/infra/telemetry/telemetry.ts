import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import type { CacheTelemetry, ProviderTelemetry, Telemetry } from '../../app/ports.ts'
import type { HistoryTelemetry } from '../../app/history-store.ts'
import { createEvents } from './events.ts'
import type { Logger } from './logger.ts'
import { startMetricsServer } from './metrics-server.ts'
import { NO_TRACING, openTracing } from './tracing.ts'

export interface OpenTelemetry {
  readonly telemetry: Telemetry & CacheTelemetry & ProviderTelemetry & HistoryTelemetry
  /** Undefined when metrics are off. */
  readonly metricsPort: number | undefined
  readonly close: () => Promise<void>
}

/**
 * Metrics for Prometheus on a port of their own, and spans by OTLP when `tracing` is on.
 * @throws when the metrics port cannot be had.
 */
export async function openTelemetry(options: {
  readonly bindAddress: string
  /** Undefined = no metrics port; 0 = a free one. */
  readonly metricsPort: number | undefined
  readonly tracing: boolean
  readonly logger: Logger
}): Promise<OpenTelemetry> {
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'portfolio-tracking-service' }))
    .merge(detectResources({ detectors: [envDetector] }))
  const exporter = new PrometheusExporter({ preventServerStart: true })
  const meters = new MeterProvider({ resource, readers: [exporter] })
  const events = createEvents(meters.getMeter('portfolio-tracking-service'), options.logger)
  const server =
    options.metricsPort === undefined
      ? undefined
      : await startMetricsServer(
          { host: options.bindAddress, port: options.metricsPort },
          (request, response) => exporter.getMetricsRequestHandler(request, response),
        )
  const tracing = options.tracing ? openTracing(resource) : NO_TRACING
  return {
    telemetry: {
      ...events,
      startCall: (method, traceparent) => tracing.startCall(method, traceparent),
    },
    metricsPort: server?.port,
    async close() {
      await server?.close()
      await Promise.allSettled([tracing.close(), meters.shutdown()])
    },
  }
}
