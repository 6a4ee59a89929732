import { expect, it } from '@jest/globals'
import { createInstrumentTable } from '../../../../src/app/market-data/instrument-table.ts'
import { refreshInstruments } from '../../../../src/app/market-data/refresh-instruments.ts'
import {
  renameInstrument,
  restoreSymbol,
} from '../../../../src/app/market-data/rename-instrument.ts'
import type { InstrumentStore } from '../../../../src/app/ports.ts'
import type { Instrument } from '../../../../src/domain/market-data/instrument.ts'
import { describedAs } from '../../domain/market-data/instruments.ts'

const instantOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) * 1_000

/** Replicas of one store, whose clock stands on a day. */
function world(...described: readonly Instrument[]) {
  const kept = new Map(
    described.map((instrument) => [instrument.instrumentId, { instrument, epoch: 1 }]),
  )
  let epoch = 1
  const store: InstrumentStore = {
    async change(_needed, plan) {
      epoch += 1
      const result = plan([...kept.values()].map(({ instrument }) => instrument))
      for (const instrument of result.instruments)
        kept.set(instrument.instrumentId, { instrument, epoch })
      return result
    },
    readSince: async (since) => ({
      instruments: [...kept.values()]
        .filter((row) => row.epoch > since)
        .map(({ instrument }) => instrument),
      epoch,
    }),
  }
  const clock = { now: () => instantOf(today), monotonicMs: () => 0 }
  let today = '2024-03-01'
  const replica = () => ({
    clock,
    instrumentStore: store,
    instruments: createInstrumentTable(),
    announce: () => undefined,
  })
  return {
    replica,
    wait: (day: string) => {
      today = day
    },
  }
}

it('a symbol to come is the present one from its day on, on every replica, and resolves by date', async () => {
  const { replica, wait } = world(
    describedAs('FB', 'EQUITY'),
    describedAs('META', 'EQUITY', {
      instrumentId: 'M',
      symbols: [{ symbol: 'META', fromDay: '', toDay: '2024-03-04' }],
    }),
  )
  const [here, there] = [replica(), replica()]
  for (const one of [here, there]) await refreshInstruments(one)
  expect(await renameInstrument(here, 'FB', 'META', '2024-03-05')).toBe('FB')
  for (const one of [here, there]) {
    await refreshInstruments(one)
    const { instruments } = one
    expect(instruments.get('FB')!.symbol).toBe('FB')
    const meant = ['2024-03-04', '2024-03-05'].flatMap((day) =>
      ['FB', 'META'].map((symbol) => instruments.resolve(symbol, instantOf(day))?.instrumentId),
    )
    expect(meant).toEqual(['FB', 'M', undefined, 'FB'])
  }
  wait('2024-03-05')
  const late = replica()
  const told: string[] = []
  here.instruments.follow((changed) => told.push(...changed.map(({ symbol }) => symbol)))
  const { epoch } = here.instruments
  for (const one of [here, there, late]) {
    await refreshInstruments(one)
    expect(one.instruments.get('FB')!.symbol).toBe('META')
  }
  expect(told).toEqual(['META'])
  expect(here.instruments.epoch).toBeGreaterThan(epoch)
  await refreshInstruments(here)
  expect(told).toEqual(['META'])
})

it('a symbol to come is taken back without a trace, before its day and after it', async () => {
  for (const day of ['2024-03-01', '2024-03-06']) {
    const { replica, wait } = world(describedAs('FB', 'EQUITY'))
    const here = replica()
    await refreshInstruments(here)
    const before = here.instruments.get('FB')
    await renameInstrument(here, 'FB', 'META', '2024-03-05')
    wait(day)
    await refreshInstruments(here)
    await restoreSymbol(here, 'FB', { oldSymbol: 'FB', newSymbol: 'META' }, '2024-03-05')
    expect(here.instruments.get('FB')).toEqual(before)
    expect(here.instruments.resolve('META', instantOf('2024-03-07'))).toBeUndefined()
  }
})
