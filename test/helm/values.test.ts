import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chartFolder } from '../support/helm.ts'
import { template } from './chart.ts'
import { valuesTable } from './values-table.ts'

describe('values.schema.json', () => {
  it.each([
    ['replicas=3', 'replicas'],
    ['replicaCount="3"', 'replicaCount'],
    ['replicaCount=-1', 'replicaCount'],
    ['rollingUpdate.maxSurge="200%"', 'maxSurge'],
    ['rollingUpdate.maxSurge=1.5', 'maxSurge'],
    ['fullnameOverride="Portfolio"', 'fullnameOverride'],
    ['image.pullPolicy="Sometimes"', 'pullPolicy'],
    ['image.digest="sha256:12"', 'digest'],
    ['image.repository=""', 'repository'],
    ['resources.limits.gpu=1', 'limits'],
    ['resources.limits.memory="4 GB"', 'memory'],
    ['ports.grpc=80', 'grpc'],
    ['ports.http=80', 'http'],
    ['ports.http="off"', 'http'],
    ['ports.health=70000', 'health'],
    ['database.url="postgres://user:password@host/database"', 'database'],
    ['database.existingSecret="Not_A_Name"', 'existingSecret'],
    ['database.poolMax=-1', 'poolMax'],
    ['redis.url="redis://cache"', 'redis'],
    ['redis.existingSecret="Not_A_Name"', 'existingSecret'],
    ['readStalenessMs=-1', 'readStalenessMs'],
    ['historyRefreshMs=1', 'historyRefreshMs'],
    ['historyRefreshMs="off"', 'historyRefreshMs'],
    ['marketData.providers=["store"]', 'providers'],
    ['marketData.grpcTarget="prices"', 'grpcTarget'],
    ['marketData.budgetMs=-1', 'budgetMs'],
    ['networkPolicy.redisPort=80', 'redisPort'],
    ['migration.mode="sometimes"', 'mode'],
    ['migration.activeDeadlineSeconds=0', 'activeDeadlineSeconds'],
    ['logLevel="verbose"', 'logLevel'],
    ['reflection="on"', 'reflection'],
    ['drainTimeoutMs=0', 'drainTimeoutMs'],
    ['telemetry.otlpEndpoint="collector:4318"', 'otlpEndpoint'],
    ['probes.liveness.httpGet={"path":"/"}', 'liveness'],
    ['podDisruptionBudget.maxUnavailable="one"', 'maxUnavailable'],
    ['autoscaling.minReplicas=0', 'minReplicas'],
    ['networkPolicy.clients={"podSelector":{}}', 'clients'],
    ['podLabels={"tier":1}', 'podLabels'],
    ['extraEnv=[{"value":"nameless"}]', 'extraEnv'],
  ])('refuses %s', async (setting, named) => {
    const { exitCode, stderr } = await template('minimal', setting)
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain("values don't meet the specifications of the schema")
    expect(stderr).toContain(named)
  })
})

describe('the templates', () => {
  it.each([
    ['terminationGracePeriodSeconds is 40 and must be at least 65', ['drainTimeoutMs=60000']],
    ['terminationGracePeriodSeconds is 40 and must be at least 45', ['preStopSleepSeconds=20']],
    ['ports.grpc, ports.http, ports.health and ports.metrics must differ', ['ports.health=50051']],
    ['ports.grpc, ports.http, ports.health and ports.metrics must differ', ['ports.http=9464']],
    [
      'marketData.grpcTarget must be set where marketData.providers names grpc',
      ['marketData={"providers":["grpc"]}'],
    ],
    [
      'autoscaling.minReplicas must not exceed autoscaling.maxReplicas',
      ['autoscaling={"enabled":true,"minReplicas":11,"maxReplicas":10}'],
    ],
    [
      'rollingUpdate.maxSurge and rollingUpdate.maxUnavailable must not both be 0',
      ['rollingUpdate={"maxSurge":0,"maxUnavailable":"0%"}'],
    ],
  ])('refuse values that are wrong together: %s', async (sentence, settings) => {
    const { exitCode, stderr } = await template('minimal', ...settings)
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain(sentence)
  })
})

describe('README.md', () => {
  it('has the table of values that values.yaml makes', () => {
    const expected = valuesTable(readFileSync(join(chartFolder, 'values.yaml'), 'utf8'))
    const readme = readFileSync(join(chartFolder, 'README.md'), 'utf8')
    expect(tableRows(readme)).toEqual(tableRows(expected))
  })
})

/** The rows of the Markdown tables in a text, without their padding and rulers. */
function tableRows(markdown: string): readonly string[] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('|') && !line.startsWith('| -'))
    .map((line) => line.replaceAll(/ +/g, ' '))
}
