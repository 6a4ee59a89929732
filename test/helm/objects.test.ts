import { beforeAll, describe, expect, it } from '@jest/globals'
import type { IContainer } from 'kubernetes-models/v1'
import {
  findAll,
  isHook,
  podsOf,
  releaseNamespace,
  render,
  selects,
  valueSets,
  type KubernetesObject,
  type PodOf,
} from './chart.ts'
import { schemaViolations } from './kubernetes-schema.ts'

// https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
const restrictedVolumes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

it('has value sets to render', () => {
  expect(valueSets.length).toBeGreaterThanOrEqual(8)
})

describe.each(valueSets)('rendered with the %s values', (valueSet) => {
  let objects: readonly KubernetesObject[]
  let pods: readonly PodOf[]
  beforeAll(async () => {
    objects = await render(valueSet)
    pods = podsOf(objects)
  })

  it("satisfies Kubernetes' schemas", () => {
    expect(objects.flatMap(schemaViolations)).toEqual([])
  })

  it('names each object once, in the namespace of the release', () => {
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    expect(new Set(names).size).toBe(names.length)
    expect(objects.filter(({ metadata }) => metadata.namespace !== releaseNamespace)).toEqual([])
  })

  it('runs pods that the restricted Pod Security Standard lets in', () => {
    expect(pods.length).toBeGreaterThanOrEqual(2)
    expect(pods.flatMap(restrictedViolations)).toEqual([])
  })

  it('gives pods no token, no writable root, and limits for all they use', () => {
    for (const { spec } of pods) {
      expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false })
      for (const container of spec.containers) {
        expect(container.securityContext?.readOnlyRootFilesystem).toBe(true)
        expect(container.resources?.limits?.['memory']).toBeDefined()
      }
    }
  })

  it('selects the pods of the Deployment and no others', () => {
    const selectors = [
      ...findAll(objects, 'Deployment').map(({ spec }) => spec!.selector.matchLabels!),
      ...findAll(objects, 'Service').map(({ spec }) => spec!.selector!),
      ...findAll(objects, 'PodDisruptionBudget').map(({ spec }) => spec!.selector!.matchLabels!),
      ...findAll(objects, 'NetworkPolicy')
        .filter((policy) => !isHook(policy))
        .map(({ spec }) => spec!.podSelector.matchLabels!),
      ...pods.flatMap(({ spec }) =>
        (spec.topologySpreadConstraints ?? []).map(
          ({ labelSelector }) => labelSelector!.matchLabels!,
        ),
      ),
    ]
    expect(selectors.length).toBeGreaterThanOrEqual(3)
    for (const selector of selectors) {
      const selected = pods.filter(({ labels }) => selects(selector, labels))
      expect(selected.map(({ owner }) => owner.kind)).toEqual(['Deployment'])
    }
  })

  it('refers only to ports, volumes and accounts that exist', () => {
    const server = pods.find(({ owner }) => owner.kind === 'Deployment')!.spec.containers[0]!
    const ports = (server.ports ?? []).map(({ name, containerPort }) => [name, containerPort])
    for (const { spec } of findAll(objects, 'Service')) {
      for (const { port, targetPort } of spec!.ports!) {
        expect(ports).toContainEqual([targetPort, port])
      }
    }
    for (const probe of [server.startupProbe, server.readinessProbe, server.livenessProbe]) {
      expect(ports).toContainEqual(['health', probe?.grpc?.port])
    }
    for (const { spec, owner } of pods) {
      const volumes = (spec.volumes ?? []).map(({ name }) => name)
      const mounts = spec.containers.flatMap(({ volumeMounts }) => volumeMounts ?? [])
      expect(volumes).toEqual(expect.arrayContaining(mounts.map(({ name }) => name)))
      expect(accountsFor(owner, objects)).toContain(spec.serviceAccountName)
    }
  })

  it('opens the ports in the network policy that its containers listen on', () => {
    const ingress = findAll(objects, 'NetworkPolicy').flatMap(({ spec }) => spec?.ingress ?? [])
    const opened = ingress.flatMap(({ ports }) => ports ?? []).map(({ port }) => port)
    expect(opened).toEqual(opened.length === 0 ? [] : ['grpc', 'http', 'metrics'])
  })

  it('takes secrets only from those the values name', () => {
    const names = pods.flatMap(({ spec }) => spec.containers.flatMap(secretNames))
    expect(names.length).toBeGreaterThanOrEqual(1)
    const given = ['portfolio-database', 'portfolio-database-owner', 'portfolio-redis']
    expect(given).toEqual(expect.arrayContaining(names))
    expect(findAll(objects, 'Secret')).toEqual([])
  })
})

it("gives the owner's secret to the migration alone", async () => {
  const pods = podsOf(await render('migration-owner'))
  const secretsByKind = pods.map(({ owner, spec }) => [
    owner.kind,
    spec.containers.flatMap(secretNames),
  ])
  expect(Object.fromEntries(secretsByKind)).toEqual({
    Deployment: ['portfolio-database'],
    Job: ['portfolio-database-owner'],
    Pod: [],
  })
})

it('has a schema check that finds misspelt fields and wrong types', () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', labels: { any: 'label' } } }
  const withContainer = (container: object) =>
    schemaViolations({ ...pod, spec: { containers: [{ name: 'x', ...container }] } } as never)
  expect(withContainer({ image: 'y' })).toEqual([])
  expect(withContainer({ imge: 'y' })).toEqual(['/spec/containers/0/imge is not a known field'])
  expect(withContainer({ image: 1 })).toHaveLength(1)
})

/** The accounts a pod may run as: before an install there are none but the hooks' own. */
function accountsFor(owner: KubernetesObject, objects: readonly KubernetesObject[]) {
  const accounts = findAll(objects, 'ServiceAccount')
  if (accounts.length === 0) return ['default']
  return accounts
    .filter((account) => owner.kind !== 'Job' || isHook(account))
    .map(({ metadata }) => metadata.name)
}

function secretNames({ env = [] }: IContainer): readonly string[] {
  return env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.name ?? [])
}

function restrictedViolations({ owner, spec }: PodOf): readonly string[] {
  const pod = spec.securityContext ?? {}
  const rules: [string, boolean][] = [
    ['host namespaces', !spec.hostNetwork && !spec.hostPID && !spec.hostIPC],
    ['runAsNonRoot', pod.runAsNonRoot === true && (pod.runAsUser ?? 1) !== 0],
    ['seccompProfile', pod.seccompProfile?.type === 'RuntimeDefault'],
    ['sysctls', (pod.sysctls ?? []).length === 0],
    ...(spec.volumes ?? []).map((volume): [string, boolean] => [
      `volume ${volume.name}`,
      Object.keys(volume).every((key) => key === 'name' || restrictedVolumes.has(key)),
    ]),
    ...[...spec.containers, ...(spec.initContainers ?? [])].flatMap(
      ({ name, ports = [], securityContext = {} }): [string, boolean][] => [
        [`${name}: privileged`, !securityContext.privileged],
        [`${name}: escalation`, securityContext.allowPrivilegeEscalation === false],
        [`${name}: drop ALL`, securityContext.capabilities?.drop?.includes('ALL') === true],
        [`${name}: add`, (securityContext.capabilities?.add ?? []).length === 0],
        [`${name}: runAsUser`, (securityContext.runAsUser ?? 1) !== 0],
        [`${name}: host ports`, ports.every(({ hostPort }) => hostPort === undefined)],
      ],
    ),
  ]
  return rules.filter(([, holds]) => !holds).map(([rule]) => `${owner.kind}: ${rule}`)
}
