import { Deployment } from 'kubernetes-models/apps/v1'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2'
import { Job } from 'kubernetes-models/batch/v1'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { Pod, Service, ServiceAccount } from 'kubernetes-models/v1'
import type { KubernetesObject } from './chart.ts'

interface ModelClass {
  readonly prototype: { validate(): void }
}

const modelClasses: Readonly<Record<string, ModelClass>> = {
  'apps/v1 Deployment': Deployment,
  'autoscaling/v2 HorizontalPodAutoscaler': HorizontalPodAutoscaler,
  'batch/v1 Job': Job,
  'networking.k8s.io/v1 NetworkPolicy': NetworkPolicy,
  'policy/v1 PodDisruptionBudget': PodDisruptionBudget,
  'v1 Pod': Pod,
  'v1 Service': Service,
  'v1 ServiceAccount': ServiceAccount,
}

/**
 * What Kubernetes' own schema has against an object, unknown fields included; empty when nothing.
 * The validators let unknown fields pass, so we watch which fields they read: the rest is unknown.
 */
export function schemaViolations(object: KubernetesObject): readonly string[] {
  const modelClass = modelClasses[`${object.apiVersion} ${object.kind}`]
  if (modelClass === undefined) return [`${object.apiVersion} ${object.kind} is not a known kind`]
  const unread = new Set<string>()
  try {
    // Not through a new model: its constructor copies, and so reads, every field.
    modelClass.prototype.validate.call(watch(object, '', unread) as { validate(): void })
  } catch (error) {
    return [(error as Error).message]
  }
  return [...unread].map((path) => `${path} is not a known field`)
}

function watch(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item, i) => watch(item, `${path}/${i}`, unread))
  const fields = Object.entries(value).map(([key, field]): [string, unknown] => [
    key,
    watch(field, `${path}/${key}`, unread),
  ])
  for (const [key] of fields) unread.add(`${path}/${key}`)
  return new Proxy(Object.fromEntries(fields), {
    get(target, key) {
      unread.delete(`${path}/${String(key)}`)
      return target[String(key)]
    },
  })
}
