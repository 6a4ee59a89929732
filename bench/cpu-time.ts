import { readdirSync, readFileSync } from 'node:fs'

/** Ticks of /proc are hundredths of a second on every Linux that Node runs on. */
const MICROSECONDS_PER_TICK = 10_000

/** CPU time of a process in microseconds, undefined where there is no /proc. */
export function cpuMicroseconds(pid: number): number | undefined {
  const times = readTimes(pid)
  return times && times.own * MICROSECONDS_PER_TICK
}

/** CPU time of a process and its children, those that ended included. */
export function treeCpuMicroseconds(pid: number): number | undefined {
  const root = readTimes(pid)
  if (root === undefined) return undefined
  let ticks = root.own + root.ended
  for (const name of readdirSync('/proc')) {
    const child = /^\d+$/.test(name) ? readTimes(Number(name)) : undefined
    if (child?.parent === pid) ticks += child.own
  }
  return ticks * MICROSECONDS_PER_TICK
}

function readTimes(pid: number): { parent: number; own: number; ended: number } | undefined {
  let text
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The second field, the program's name, may hold spaces; the fields after its bracket are counted from 3.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const field = (number: number): number => fields[number - 3] ?? 0
  return { parent: field(4), own: field(14) + field(15), ended: field(16) + field(17) }
}
