import { PortfolioError } from '../../domain/errors.ts'
import { covers, type Instrument } from '../../domain/market-data/instrument.ts'
import { dayOf } from '../../domain/portfolio/calendar-day.ts'
import { upsertInstruments } from './upsert-instruments.ts'

type Ports = Parameters<typeof upsertInstruments>[0]

/**
 * Gives an instrument a new symbol from a day on; the old one keeps its meaning on the days before. A day to come is
 * waited for. Done already, it is done.
 * @returns the symbol before.
 * @throws PortfolioError INSTRUMENT_UNKNOWN, SYMBOL_TAKEN.
 */
export async function renameInstrument(
  ports: Ports,
  instrumentId: string,
  newSymbol: string,
  fromDay: string,
): Promise<string> {
  const instrument = knownInstrument(ports, instrumentId)
  const lastDay = dayBefore(fromDay)
  const before = instrument.symbols.find((span) => covers(span, lastDay))
  const oldSymbol = before?.symbol ?? instrument.symbol
  if (oldSymbol === newSymbol) {
    throw new PortfolioError('ACTION_INVALID', `the symbol is ${newSymbol} before that day already`)
  }
  if (instrument.symbols.some((span) => span.symbol === newSymbol && span.fromDay === fromDay)) {
    return oldSymbol
  }
  const symbols = [
    ...instrument.symbols.map((span) => (span === before ? { ...span, toDay: lastDay } : span)),
    { symbol: newSymbol, fromDay, toDay: before?.toDay ?? '' },
  ]
  const isBegun = fromDay <= dayOf(ports.clock.now(), 'UTC')
  const isLast = before === undefined || before.toDay === ''
  const symbol = isBegun && isLast ? newSymbol : instrument.symbol
  await upsertInstruments(ports, [{ ...instrument, symbol, symbols }])
  return oldSymbol
}

/** Takes {@link renameInstrument} back; done already, it is done. */
export async function restoreSymbol(
  ports: Ports,
  instrumentId: string,
  { oldSymbol, newSymbol }: { readonly oldSymbol: string; readonly newSymbol: string },
  fromDay: string,
): Promise<void> {
  const instrument = knownInstrument(ports, instrumentId)
  const added = instrument.symbols.find(
    (span) => span.symbol === newSymbol && span.fromDay === fromDay,
  )
  if (added === undefined) return
  const lastDay = dayBefore(fromDay)
  const symbols = instrument.symbols
    .filter((span) => span !== added)
    .map((span) => {
      const isReopened = span.symbol === oldSymbol && span.toDay === lastDay
      return isReopened ? { symbol: oldSymbol, fromDay: span.fromDay, toDay: added.toDay } : span
    })
  const symbol = instrument.symbol === newSymbol ? oldSymbol : instrument.symbol
  await upsertInstruments(ports, [{ ...instrument, symbol, symbols }])
}

function knownInstrument({ instruments }: Ports, instrumentId: string): Instrument {
  const instrument = instruments.get(instrumentId)
  if (instrument !== undefined) return instrument
  const message = 'only an instrument that was described has a symbol to change'
  throw new PortfolioError('INSTRUMENT_UNKNOWN', message)
}

function dayBefore(day: string): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() - 1)
  return date.toISOString().slice(0, 10)
}
