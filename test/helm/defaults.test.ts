import { beforeAll, describe, expect, it } from '@jest/globals'
import type { IDeployment } from 'kubernetes-models/apps/v1'
import {
  findAll,
  findOnly,
  render,
  serverContainer,
  template,
  type KubernetesObject,
} from './chart.ts'

describe('the chart with nothing but its Secret', () => {
  let objects: readonly KubernetesObject[]
  let deployment: IDeployment
  beforeAll(async () => {
    objects = await render('minimal')
    deployment = findOnly(objects, 'Deployment')
  })

  it("has the specification's name, replicas, strategy and resources", () => {
    expect(deployment.metadata?.name).toBe('portfolio-tracking-service')
    expect(deployment.spec?.replicas).toBe(3)
    expect(deployment.spec?.strategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: 2, maxUnavailable: 1 },
    })
    expect(serverContainer(objects)).toMatchObject({
      name: 'portfolio-tracking-service',
      resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: 2, memory: '4Gi' } },
    })
  })

  it('adds the selector, labels and image that the specification leaves out', () => {
    expect(Object.keys(deployment.spec!.selector.matchLabels!)).not.toHaveLength(0)
    expect(serverContainer(objects).image).toMatch(/^portfolio-tracking-service:\d+\.\d+\.\d+$/)
  })

  it('probes the health-only port over gRPC and gives the start at least 60 s', () => {
    const { startupProbe, readinessProbe, livenessProbe } = serverContainer(objects)
    expect(livenessProbe?.grpc).toEqual({ port: 50052, service: '' })
    expect(startupProbe?.grpc).toEqual({ port: 50052, service: '' })
    expect(readinessProbe?.grpc).toEqual({
      port: 50052,
      service: 'portfolio.v1.PortfolioService',
    })
    expect(startupProbe!.periodSeconds! * startupProbe!.failureThreshold!).toBeGreaterThanOrEqual(
      60,
    )
  })

  it('leaves the drain time to end before SIGKILL', () => {
    expect(deployment.spec?.template.spec?.terminationGracePeriodSeconds).toBe(40)
    expect(environment(objects)).toMatchObject({ DRAIN_TIMEOUT_MS: '20000' })
  })

  it('sets the environment', () => {
    expect(environment(objects)).toEqual({
      BIND_ADDRESS: '0.0.0.0',
      GRPC_PORT: '50051',
      HTTP_PORT: '8080',
      HEALTH_PORT: '50052',
      METRICS_PORT: '9464',
      DATABASE_URL: { secretKeyRef: { name: 'portfolio-database', key: 'DATABASE_URL' } },
      READ_STALENESS_MS: '1000',
      HISTORY_REFRESH_MS: '60000',
      MARKET_DATA_BUDGET_MS: '250',
      MARKET_DATA_REFRESH_MS: '60000',
      QUARANTINE_RETENTION_DAYS: '90',
      MIGRATE_ON_START: 'false',
      LOG_LEVEL: 'info',
      REFLECTION: 'on',
      DRAIN_TIMEOUT_MS: '20000',
      NODE_OPTIONS: '--max-old-space-size=3072',
    })
  })

  it('makes a ClusterIP and a headless Service', () => {
    const services = findAll(objects, 'Service').map(({ metadata, spec }) => [
      metadata.name,
      spec?.clusterIP,
    ])
    expect(services).toEqual([
      ['portfolio-tracking-service', undefined],
      ['portfolio-tracking-service-headless', 'None'],
    ])
  })

  it('limits disruptions and traffic, and leaves the number of pods alone', () => {
    expect(findOnly(objects, 'PodDisruptionBudget')).toMatchObject({ spec: { maxUnavailable: 1 } })
    expect(findOnly(objects, 'NetworkPolicy')).toMatchObject({
      spec: { policyTypes: ['Ingress', 'Egress'] },
    })
    expect(findAll(objects, 'HorizontalPodAutoscaler')).toEqual([])
  })
})

describe('values', () => {
  it('hand the number of pods to the autoscaler', async () => {
    const objects = await render('autoscaling')
    expect(findOnly(objects, 'Deployment').spec).not.toHaveProperty('replicas')
    const { spec } = findOnly(objects, 'HorizontalPodAutoscaler')
    expect(spec).toMatchObject({ minReplicas: 4, maxReplicas: 12 })
    expect(spec?.scaleTargetRef).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: 'portfolio-tracking-service',
    })
  })

  it('migrate in a hook, at the start or not at all', async () => {
    const [hook, start, off] = await Promise.all(
      ['minimal', 'migration-start', 'migration-off'].map(async (set) => render(set)),
    )
    expect(findAll(hook!, 'Job')).toMatchObject([
      {
        metadata: {
          annotations: {
            'helm.sh/hook': 'pre-install,pre-upgrade',
            'helm.sh/hook-weight': '-5',
            'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded',
          },
        },
        spec: { backoffLimit: 3, activeDeadlineSeconds: 600 },
      },
    ])
    expect(findAll(start!, 'Job')).toEqual([])
    expect(environment(start!)).toMatchObject({ MIGRATE_ON_START: 'true' })
    expect(findAll(off!, 'Job')).toEqual([])
    expect(environment(off!)).toMatchObject({ MIGRATE_ON_START: 'false' })
  })

  it('reach the environment whole, large numbers too', async () => {
    expect(environment(await render('migration-off'))).toMatchObject({
      DATABASE_POOL_MAX: '24',
      STATE_CACHE_USERS_MAX: '2000000',
      REFLECTION: 'off',
    })
  })

  it('open egress to the port of the OTLP endpoint, and its host only when named', async () => {
    expect(await egressWithEndpoint('http://collector:4318')).toContainEqual(egressTo(4318))
    expect(await egressWithEndpoint('https://collector/v1')).toContainEqual(egressTo(443))
    expect(await egressWithEndpoint('http://collector')).toContainEqual(egressTo(80))
    expect(await egressWithEndpoint('')).toHaveLength(2)
  })

  it('take a Redis out of a secret and open egress to it, and neither without one', async () => {
    const objects = await render('redis')
    expect(environment(objects)).toMatchObject({
      REDIS_URL: { secretKeyRef: { name: 'portfolio-redis', key: 'url' } },
      READ_STALENESS_MS: '250',
    })
    const to = [{ podSelector: { matchLabels: { 'app.kubernetes.io/name': 'redis' } } }]
    const { egress } = findOnly(objects, 'NetworkPolicy').spec!
    expect(egress).toContainEqual({ ...egressTo(6380), to })
    const anywhere = await render('minimal', 'redis.existingSecret="portfolio-redis"')
    expect(findOnly(anywhere, 'NetworkPolicy').spec!.egress).toContainEqual(egressTo(6379))
  })

  it('name providers of prices after the store, and open egress to them', async () => {
    const objects = await render('providers')
    expect(environment(objects)).toMatchObject({
      MARKET_DATA_PROVIDERS: 'store,grpc,ecb',
      MARKET_DATA_GRPC_TARGET: 'prices.finance:9000',
      MARKET_DATA_ECB_SOURCE: 'https://rates.example/daily.xml',
      MARKET_DATA_BUDGET_MS: '100',
    })
    const { egress } = findOnly(objects, 'NetworkPolicy').spec!
    expect(egress).toContainEqual(egressTo(9000))
    expect(egress).toContainEqual(egressTo(443))
  })

  it.each([
    ['8Gi', '--max-old-space-size=6144'],
    ['1536Mi', '--max-old-space-size=1152'],
    ['1.5Gi', '--max-old-space-size=1152'],
    ['4G', undefined],
  ])('keep the heap of a pod limited to %s inside it', async (memory, options) => {
    const objects = await render('minimal', `resources.limits.memory="${memory}"`)
    expect(environment(objects)['NODE_OPTIONS']).toBe(options)
  })

  it('serve HTTP on a port of its own, or not at all', async () => {
    const [on, off] = await Promise.all([render('minimal'), render('minimal', 'ports.http=0')])
    expect(portNames(on)).toEqual({
      container: ['grpc', 'http', 'health', 'metrics'],
      services: [
        ['grpc', 'http'],
        ['grpc', 'http', 'metrics'],
      ],
      ingress: ['grpc', 'http'],
    })
    expect(portNames(off)).toEqual({
      container: ['grpc', 'health', 'metrics'],
      services: [['grpc'], ['grpc', 'metrics']],
      ingress: ['grpc'],
    })
    expect(environment(off)).toMatchObject({ HTTP_PORT: 'off' })
  })

  it('name objects after the release when no full name is given', async () => {
    const objects = await render('minimal', 'fullnameOverride=""')
    expect(findOnly(objects, 'Deployment')).toMatchObject({
      metadata: { name: 'demo-portfolio-tracking-service' },
    })
  })

  it('cannot take a pod out of its Services by a label', async () => {
    const { labels } = findOnly(await render('placement'), 'Deployment').spec!.template.metadata!
    expect(labels).toMatchObject({
      'app.kubernetes.io/component': 'server',
      'example.com/tier': 'backend',
    })
  })

  it('are needed for the database, and the refusal says which', async () => {
    const { exitCode, stderr } = await template('minimal', 'database.existingSecret=""')
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain('database.existingSecret is required')
  })
})

/** By their names, where they are listened on and let in. */
function portNames(objects: readonly KubernetesObject[]) {
  return {
    container: serverContainer(objects).ports?.map(({ name }) => name),
    services: findAll(objects, 'Service').map(({ spec }) => spec?.ports?.map(({ name }) => name)),
    ingress: findOnly(objects, 'NetworkPolicy').spec?.ingress?.[0]?.ports?.map(({ port }) => port),
  }
}

async function egressWithEndpoint(endpoint: string) {
  const objects = await render('minimal', `telemetry.otlpEndpoint="${endpoint}"`)
  return findOnly(objects, 'NetworkPolicy').spec!.egress!
}

function egressTo(port: number) {
  return { ports: [{ port, protocol: 'TCP' }] }
}

function environment(objects: readonly KubernetesObject[]): Readonly<Record<string, unknown>> {
  const entries = serverContainer(objects).env ?? []
  return Object.fromEntries(entries.map(({ name, value, valueFrom }) => [name, value ?? valueFrom]))
}
