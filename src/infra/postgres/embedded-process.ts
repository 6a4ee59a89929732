import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** A system account to run a program as. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

export interface ProgramOptions {
  /** Undefined: the account of this process. */
  readonly account: Account | undefined
  /** A folder the program works in; the account must get there. */
  readonly folder: string
  /** Sent to the program when this process ends, however it ends (Linux). */
  readonly parentDeathSignal: NodeJS.Signals
}

const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const ENVIRONMENT = { PATH: SEARCH_PATH, LC_ALL: 'C', TZ: 'UTC' }
const CAPABILITIES = [
  { name: 'dac_read_search', bit: 2n },
  { name: 'dac_override', bit: 1n },
]
const POLL_MS = 20

/**
 * Starts a program in a process group of its own, so that a Ctrl-C meant for the service does not take its
 * database away while it drains.
 */
export async function startProgram(
  program: string,
  programArguments: readonly string[],
  options: ProgramOptions,
): Promise<ChildProcess> {
  const shared = { cwd: '/', env: ENVIRONMENT, detached: true, stdio: 'pipe' } as const
  const wrapper = await privilegeArguments(program, options)
  const child =
    wrapper === undefined
      ? spawn(program, programArguments, { ...shared, ...options.account })
      : spawn('setpriv', [...wrapper, program, ...programArguments], shared)
  child.stdin.end()
  return child
}

/** Arguments for setpriv of util-linux; undefined where it is missing. */
async function privilegeArguments(
  program: string,
  { account, folder, parentDeathSignal }: ProgramOptions,
): Promise<string[] | undefined> {
  const lifetime = ['--pdeathsig', parentDeathSignal]
  const probe = spawnSync('setpriv', [...lifetime, 'true'], { env: ENVIRONMENT, stdio: 'ignore' })
  const isUsable = probe.status === 0
  const unreachable = account && (await findClosedFolder(account, [program, folder]))
  if (account === undefined) return isUsable ? lifetime : undefined
  const identity = ['--reuid', `${account.uid}`, '--regid', `${account.gid}`, '--clear-groups']
  if (unreachable === undefined) return isUsable ? [...lifetime, ...identity] : undefined

  // A checkout under /root or a mode 700 temporary folder: root may let its child search folders.
  const capability = isUsable ? await findCapability() : undefined
  if (capability !== undefined) {
    const grants = [`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`]
    // Else access(2), by which initdb looks for its other programs, ignores the capability.
    return [...lifetime, ...identity, '--securebits', '+no_setuid_fixup', ...grants]
  }
  throw new Error(
    `PostgreSQL does not run as root, and user id ${account.uid} cannot enter ${unreachable}: ` +
      `allow it (chmod o+x), start the service as another user, or set DATABASE_URL`,
  )
}

async function findClosedFolder(
  account: Account,
  paths: readonly string[],
): Promise<string | undefined> {
  for (const path of paths) {
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      const { uid, gid, mode } = await stat(folder)
      const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0
      if (((mode >> shift) & 1) === 0) return folder
      if (folder === dirname(folder)) break
    }
  }
  return undefined
}

async function findCapability(): Promise<string | undefined> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return CAPABILITIES.find(({ bit }) => (effective >> bit) & 1n)?.name
}

/**
 * Names a live process so that a later one with the same number has another name. Undefined when
 * there is none, also for a zombie.
 */
export async function identifyProcess(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') {
    const startedAt = readProcessColumn(pid, 'lstart').replaceAll(/\W+/g, '-')
    return startedAt === '' ? undefined : `${pid}.${startedAt}`
  }
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (line === undefined) return undefined
  // The program's name, in parentheses, may itself hold spaces and parentheses.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const [state, startedAtTicks] = [fields[0], fields[19]]
  if (state === 'Z' || state === 'X') return undefined
  const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'unknown')
  return `${pid}.${startedAtTicks}.${bootId.trim()}`
}

/** Whether this process is a postmaster that was started here on this folder. */
export async function isPostmasterOf(pid: number, clusterFolder: string): Promise<boolean> {
  const commandLine =
    process.platform === 'linux'
      ? (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ')
      : readProcessColumn(pid, 'command')
  return commandLine.includes(`/postgres -D ${clusterFolder} `)
}

function readProcessColumn(pid: number, column: string): string {
  const parameters = ['-o', `${column}=`, '-p', `${pid}`]
  return spawnSync('ps', parameters, { env: ENVIRONMENT, encoding: 'utf8' }).stdout.trim()
}

export interface EndingStep {
  readonly signal: NodeJS.Signals
  readonly patienceMs: number
}

/** Fast shutdown; then immediate, which costs a recovery at the next start; then by force. */
export const ENDING_STEPS: readonly EndingStep[] = [
  { signal: 'SIGINT', patienceMs: 20_000 },
  { signal: 'SIGQUIT', patienceMs: 5000 },
  { signal: 'SIGKILL', patienceMs: 5000 },
]

/** Ends a postmaster that is nobody's child, with more force at each step; false if it outlives them. */
export async function endPostmaster(
  pid: number,
  clusterFolder: string,
  steps: readonly EndingStep[] = ENDING_STEPS,
): Promise<boolean> {
  for (const { signal, patienceMs } of steps) {
    const deadlineMs = performance.now() + patienceMs
    if (!(await isPostmasterOf(pid, clusterFolder))) return true
    sendSignal(pid, signal)
    while (performance.now() < deadlineMs) {
      if (!(await isPostmasterOf(pid, clusterFolder))) return true
      await delay(POLL_MS)
    }
  }
  return false
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Whether any process, also one of another account, has this number. */
export function isProcessNumberTaken(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
