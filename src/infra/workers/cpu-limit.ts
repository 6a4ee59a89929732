import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

const LIMIT_FILE = '/sys/fs/cgroup/cpu.max'

/** CPUs that this process may use: those of the machine, or fewer where its container is limited (cgroup 2). */
export function cpuLimit(limitFile: string = LIMIT_FILE): number {
  const cpus = availableParallelism()
  let text: string
  try {
    text = readFileSync(limitFile, 'utf8')
  } catch {
    return cpus
  }
  const [quota, period] = text.trim().split(' ').map(Number)
  // "max" is no number: there is no limit.
  if (quota === undefined || period === undefined || !(quota / period > 0)) return cpus
  return Math.max(1, Math.min(cpus, Math.ceil(quota / period)))
}
