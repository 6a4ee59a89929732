import { describe, expect, it } from '@jest/globals'
import { guardedProvider } from '../../../../src/infra/market-data/guarded-provider.ts'
import { eventually } from '../../../support/eventually.ts'

const TIMES = { timeoutMs: 20, restMs: 200 }

function guarded() {
  const events: string[] = []
  const telemetry = {
    providerAnswered: (name: string) => events.push(`${name} answered`),
    providerFailed: (name: string) => events.push(`${name} failed`),
    providerLost: (name: string) => events.push(`${name} lost`),
    providerAvailable: (name: string) => events.push(`${name} available`),
  }
  const provider = {
    name: 'test',
    calls: 0,
    work: (_signal: AbortSignal): Promise<readonly []> => Promise.resolve([]),
    fetch: (_: readonly string[], signal: AbortSignal) => {
      provider.calls += 1
      return provider.work(signal)
    },
  }
  return { provider, events, guard: guardedProvider(provider, telemetry, TIMES) }
}

describe('guardedProvider', () => {
  it('gives a provider up after its time, whether it listens or not', async () => {
    const { provider, guard } = guarded()
    let given: AbortSignal | undefined
    provider.work = (signal) => {
      given = signal
      return new Promise(() => undefined)
    }
    await expect(guard.fetch(['ACME'])).rejects.toThrow('timed out')
    expect(given?.aborted).toBe(true)
  })

  it('leaves it alone after five failures in a row, and tries it again after a rest', async () => {
    const { provider, guard, events } = guarded()
    provider.work = () => Promise.reject(new Error('down'))
    for (let failures = 1; failures <= 4; failures += 1) {
      await expect(guard.fetch([])).rejects.toThrow('down')
    }
    provider.work = () => Promise.resolve([])
    await guard.fetch([])
    provider.work = () => Promise.reject(new Error('down'))
    for (let failures = 1; failures <= 5; failures += 1) {
      await expect(guard.fetch([])).rejects.toThrow('down')
    }
    expect(events).toEqual(['test lost'])
    const { calls } = provider
    await expect(guard.fetch([])).rejects.toThrow('open')
    expect(provider.calls).toBe(calls)
    provider.work = () => Promise.resolve([])
    await eventually(async () => expect(await guard.fetch([])).toEqual([]))
    expect(events).toEqual(['test lost', 'test available'])
  })
})
