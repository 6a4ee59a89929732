import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Instruction {
  readonly name: string
  readonly argument: string
  readonly stage: number
}

describe('Dockerfile', () => {
  const instructions = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'))
  const lastStage = instructions.at(-1)!.stage
  const last = (name: string) =>
    instructions.findLast((i) => i.name === name && i.stage === lastStage)?.argument
  const copies = instructions.filter(({ name }) => name === 'COPY')
  const copiedFromContext = (stage: number) =>
    copies
      .filter((copy) => copy.stage === stage && !copy.argument.startsWith('--from='))
      .flatMap(({ argument }) => argument.split(' ').slice(0, -1))

  describe('the build stage, replayed on the files it copies', () => {
    let folder: string
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'portfolio-image-'))
      for (const path of copiedFromContext(0)) {
        cpSync(join(root, path), join(folder, path), { recursive: true })
      }
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    })
    afterAll(() => {
      rmSync(folder, { recursive: true, force: true })
    })

    it('makes the files that the image and the chart start', () => {
      execFileSync('npm', ['run', 'build'], { cwd: folder, stdio: 'pipe' })
      expect(JSON.parse(last('CMD')!)).toEqual(['dist/src/main.js'])
      expect(existsSync(join(folder, 'dist/src/main.js'))).toBe(true)
      expect(existsSync(join(folder, 'dist/src/cli.js'))).toBe(true)
    })
  })

  it('starts the service as npm start does', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    const [, ...nodeArguments] = JSON.parse(last('ENTRYPOINT')!) as string[]
    expect(nodeArguments).toContain('--no-memory-reducer')
    expect(scripts['start']).toContain(`&& node ${nodeArguments.join(' ')} dist/src/main.js`)
  })

  it('copies only what exists and .dockerignore lets through', () => {
    const patterns = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
    const paths = [...new Set(copies.flatMap(({ stage }) => copiedFromContext(stage)))]
    expect(paths).toContain('package-lock.json')
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
    expect(paths.filter((path) => isIgnored(path, patterns))).toEqual([])
    for (const path of ['node_modules', '.data', '.git', 'dist', 'test', '.env', 'coverage']) {
      expect([path, isIgnored(path, patterns)]).toEqual([path, true])
    }
  })

  it('copies from stages that exist', () => {
    const stages = instructions.flatMap(({ argument, name }) =>
      name === 'FROM' ? (/ AS (\w+)$/.exec(argument)?.[1] ?? []) : [],
    )
    const sources = copies.flatMap(({ argument }) => /^--from=(\w+)/.exec(argument)?.[1] ?? [])
    expect(sources.length).toBeGreaterThanOrEqual(2)
    expect(stages).toEqual(expect.arrayContaining(sources))
  })

  it('installs by the lock, without scripts, and only what runs', () => {
    const installs = instructions.filter(({ argument }) => /\bnpm (ci|i|install)\b/.test(argument))
    expect(installs.map(({ argument }) => argument)).toEqual([
      'npm ci --ignore-scripts',
      'npm ci --omit=dev --omit=optional --ignore-scripts',
    ])
    const dependencies = copies.find(({ argument }) => argument.includes('node_modules'))
    expect(dependencies).toMatchObject({
      stage: lastStage,
      argument: '--from=dependencies /app/node_modules ./node_modules',
    })
  })

  it('runs on the Node it was built with, as the user of the chart', () => {
    const bases = instructions.filter(({ name }) => name === 'FROM').map((from) => from.argument)
    expect(bases.filter((base) => !/^(node:20-|\S+\/nodejs20-)/.test(base))).toEqual([])
    expect(last('USER')).toBe('65532:65532')
    const helpers = join(root, 'helm/portfolio-tracking-service/templates/_helpers.tpl')
    expect(readFileSync(helpers, 'utf8')).toContain('runAsUser: 65532')
  })

  it('keeps package.json beside dist, without which its modules are no ES modules', () => {
    expect(copiedFromContext(lastStage)).toContain('package.json')
  })
})

/** Instructions with their stage's number; comments and continuation lines are resolved. */
function parseDockerfile(text: string): readonly Instruction[] {
  let stage = -1
  return text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', argument = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? []
      if (name === 'FROM') stage += 1
      return { name, argument, stage }
    })
}

/** For the patterns we use: whole names, `*` for everything, `!` for exceptions; the last match decides. */
function isIgnored(path: string, patterns: readonly string[]): boolean {
  const names = new Set([path, dirname(path)])
  return patterns
    .filter((pattern) => pattern !== '' && !pattern.startsWith('#'))
    .reduce((ignored, pattern) => {
      const wanted = pattern.replace('!', '')
      return wanted === '*' || names.has(wanted) ? !pattern.startsWith('!') : ignored
    }, false)
}
