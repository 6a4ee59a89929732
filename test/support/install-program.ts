import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** One for all programs: apt-get refuses to run twice. */
const INSTALL_LOCK = join(tmpdir(), 'portfolio-install.lock')

/** A program that tests start, named like its Debian package. */
export interface Program {
  readonly name: string
  /** For who has to install it. */
  readonly needed: string
}

export const REDIS: Program = { name: 'redis-server', needed: 'Redis 6 or newer' }
export const CHROMIUM: Program = { name: 'chromium', needed: 'Chromium' }

/**
 * Installs a program where it is missing and that can be done: as root on Debian.
 * @returns its path.
 * @throws with the sentence that says what to install.
 */
export async function ensureProgram({ name, needed }: Program): Promise<string> {
  const present = pathOf(name)
  if (present !== undefined) return present
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) {
    throw new Error(`These tests need ${name} on the PATH: install ${needed}.`)
  }
  process.stderr.write(`There is no ${name}: installing the package with apt-get.\n`)
  const install = `command -v ${name} || (apt-get -qq update && apt-get -qq install -y --no-install-recommends ${name})`
  // A package may start a server of its own; a run level that runs no services keeps it from that.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  await run('flock', [INSTALL_LOCK, 'sh', '-c', install], { env })
  const installed = pathOf(name)
  if (installed === undefined) throw new Error(`apt-get brought no ${name}: install ${needed}.`)
  return installed
}

function pathOf(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}
