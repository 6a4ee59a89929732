import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { chartFolder, helm } from '../support/helm.ts'
import { podsOf, render, valuesFile, valueSets } from './chart.ts'

const root = join(chartFolder, '../..')

describe('helm', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'portfolio-chart-'))
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it.each(valueSets)('lints the %s values strictly', async (valueSet) => {
    const { exitCode, stdout } = await helm(
      'lint',
      '--strict',
      chartFolder,
      '--values',
      valuesFile(valueSet),
    )
    expect(stdout).toContain('0 chart(s) failed')
    expect(stdout).not.toMatch(/\[(WARNING|ERROR)\]/)
    expect(exitCode).toBe(0)
  })

  it('packages the chart without its value sets, and the package renders', async () => {
    const packaged = await helm('package', chartFolder, '--destination', folder)
    expect(packaged).toMatchObject({ exitCode: 0 })
    const archive = join(folder, 'portfolio-tracking-service-0.1.0.tgz')
    const files = execFileSync('tar', ['-tzf', archive], { encoding: 'utf8' }).split('\n')
    expect(files).toContain('portfolio-tracking-service/values.schema.json')
    expect(files.filter((file) => file.includes('/ci/'))).toEqual([])
    const rendered = await helm('template', 'demo', archive, '--values', valuesFile('minimal'))
    expect(rendered.stdout).toContain('kind: Deployment')
  })

  it('refuses a cluster without gRPC probes', async () => {
    const args = ['template', 'demo', chartFolder, '--values', valuesFile('minimal')]
    expect(await helm(...args, '--kube-version', '1.27.0')).toMatchObject({ exitCode: 0 })
    const refused = await helm(...args, '--kube-version', '1.26.9')
    expect(refused.stderr).toContain('incompatible with Kubernetes')
  })

  it('prints a grpcurl line that needs the proto files only without reflection', async () => {
    const [reflected, bare] = await Promise.all(['minimal', 'migration-off'].map(notes))
    const call = '127.0.0.1:50051 portfolio.v1.PortfolioService/GetPortfolio'
    expect(reflected).toContain(`grpcurl -plaintext -d '{"user_id":"ada"}' ${call}`)
    expect(bare).toContain('-proto portfolio/v1/portfolio_service.proto')
    expect(bare).toContain('Migrations are off')
    const portForward = 'port-forward service/portfolio-tracking-service 50051'
    expect(reflected).toContain(`${portForward} 8080\n  curl 'http://127.0.0.1:8080/portfolio?`)
  })
})

it('has the version of the service', () => {
  const chart = parse(readFileSync(join(chartFolder, 'Chart.yaml'), 'utf8')) as {
    appVersion: string
  }
  const service = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string
  }
  expect(chart.appVersion).toBe(service.version)
})

it('sets only environment variables that the service knows', async () => {
  const config = readFileSync(join(root, 'src/config.ts'), 'utf8')
  const names = new Set<string>()
  for (const valueSet of valueSets) {
    for (const { owner, spec } of podsOf(await render(valueSet, 'extraEnv=[]'))) {
      for (const { name } of spec.containers.flatMap(({ env }) => env ?? [])) {
        // The health check is a client: it reads the address it was told, not the service's configuration.
        if (owner.kind !== 'Pod') names.add(name)
      }
    }
  }
  // Node's own.
  names.delete('NODE_OPTIONS')
  expect(names.size).toBeGreaterThanOrEqual(12)
  expect([...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(config))).toEqual([])
})

/** The notes of an install, which `helm template` leaves out. */
async function notes(valueSet: string): Promise<string> {
  const { stdout } = await helm(
    'install',
    'demo',
    chartFolder,
    '--dry-run=client',
    '--values',
    valuesFile(valueSet),
  )
  return stdout.slice(stdout.indexOf('NOTES:'))
}
