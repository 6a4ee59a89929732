import { describe, expect, it } from '@jest/globals'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuLimit } from '../../../../src/infra/workers/cpu-limit.ts'

const folder = mkdtempSync(join(tmpdir(), 'cpu-limit-'))

function limitOf(text: string): number {
  const file = join(folder, 'cpu.max')
  writeFileSync(file, text)
  return cpuLimit(file)
}

describe('cpuLimit', () => {
  it('is what the container is limited to, at least one', () => {
    expect(limitOf('50000 100000\n')).toBe(1)
    expect(limitOf('1000 100000\n')).toBe(1)
  })

  it('is the machine where there is no limit', () => {
    const cpus = availableParallelism()
    expect(limitOf('max 100000\n')).toBe(cpus)
    expect(limitOf('99900000 100000\n')).toBe(cpus)
    expect(limitOf('')).toBe(cpus)
    expect(cpuLimit(join(folder, 'none'))).toBe(cpus)
  })
})
