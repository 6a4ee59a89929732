import type { IDeployment } from 'kubernetes-models/apps/v1'
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2'
import type { IJob } from 'kubernetes-models/batch/v1'
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1'
import type {
  IContainer,
  IPod,
  IPodSpec,
  ISecret,
  IService,
  IServiceAccount,
} from 'kubernetes-models/v1'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { chartFolder, helm } from '../support/helm.ts'

export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
}

interface Kinds {
  Deployment: IDeployment
  HorizontalPodAutoscaler: IHorizontalPodAutoscaler
  Job: IJob
  NetworkPolicy: INetworkPolicy
  Pod: IPod
  PodDisruptionBudget: IPodDisruptionBudget
  Secret: ISecret
  Service: IService
  ServiceAccount: IServiceAccount
}
type ObjectOf<K extends keyof Kinds> = Kinds[K] & KubernetesObject

/** A pod the chart runs: of the Deployment, of the migration Job or of `helm test`. */
export interface PodOf {
  readonly owner: KubernetesObject
  readonly labels: Readonly<Record<string, string>>
  readonly spec: IPodSpec
}

const releaseName = 'demo'
export const releaseNamespace = 'finance'

/** The value sets of the chart's `ci` folder, by their names. */
export const valueSets = readdirSync(join(chartFolder, 'ci')).map((file) =>
  file.replace('-values.yaml', ''),
)

export function valuesFile(valueSet: string): string {
  return join(chartFolder, 'ci', `${valueSet}-values.yaml`)
}

/** Renders a value set of the `ci` folder, with `key=value` settings (JSON) on top. */
export async function render(
  valueSet: string,
  ...settings: readonly string[]
): Promise<readonly KubernetesObject[]> {
  const { exitCode, stdout, stderr } = await template(valueSet, ...settings)
  if (exitCode !== 0) throw new Error(stderr)
  return parseAllDocuments(stdout)
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0]!
      return document.toJS() as KubernetesObject | null
    })
    .filter((object) => object !== null)
}

/** As {@link render}, with Helm's raw answer. */
export async function template(valueSet: string, ...settings: readonly string[]) {
  const command = ['template', releaseName, chartFolder, '--namespace', releaseNamespace]
  const overrides = settings.flatMap((setting) => ['--set-json', setting])
  return helm(...command, '--values', valuesFile(valueSet), ...overrides)
}

export function findAll<K extends keyof Kinds>(
  objects: readonly KubernetesObject[],
  kind: K,
): readonly ObjectOf<K>[] {
  return objects.filter((object): object is ObjectOf<K> => object.kind === kind)
}

/** The only object of a kind outside the hooks. */
export function findOnly<K extends keyof Kinds>(
  objects: readonly KubernetesObject[],
  kind: K,
): ObjectOf<K> {
  const [found, ...others] = findAll(objects, kind).filter((object) => !isHook(object))
  if (found === undefined || others.length > 0) throw new Error(`not one object of kind ${kind}`)
  return found
}

export function isHook({ metadata }: KubernetesObject): boolean {
  return metadata.annotations?.['helm.sh/hook'] !== undefined
}

export function podsOf(objects: readonly KubernetesObject[]): readonly PodOf[] {
  const templates = [...findAll(objects, 'Deployment'), ...findAll(objects, 'Job')].map((owner) => {
    const { metadata, spec } = owner.spec!.template
    return { owner, labels: metadata?.labels ?? {}, spec: spec! }
  })
  const bare = findAll(objects, 'Pod').map((owner) => ({
    owner,
    labels: owner.metadata.labels ?? {},
    spec: owner.spec!,
  }))
  return [...templates, ...bare]
}

export function serverContainer(objects: readonly KubernetesObject[]): IContainer {
  return findOnly(objects, 'Deployment').spec!.template.spec!.containers[0]!
}

/** Whether a selector's labels are all on a pod. */
export function selects(
  matchLabels: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value)
}
