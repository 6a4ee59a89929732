import { decimal } from '../../../../src/domain/decimal.ts'
import { type AssetClass, assetClasses } from '../../../../src/domain/market-data/asset-class.ts'
import type { Instrument } from '../../../../src/domain/market-data/instrument.ts'

/** An instrument with nothing but a class, and what is told of it. */
export function describedAs(
  symbol: string,
  assetClass: AssetClass,
  {
    multiplier = '1',
    ...facts
  }: Partial<Omit<Instrument, 'multiplier'>> & { multiplier?: string } = {},
): Instrument {
  return {
    instrumentId: symbol,
    symbol,
    mic: '',
    isin: '',
    figi: '',
    currency: '',
    assetClass,
    multiplier: decimal(multiplier),
    quantityScale: assetClasses[assetClass].quantityScale,
    symbols: [{ symbol, fromDay: '', toDay: '' }],
    classifications: {},
    derivative: undefined,
    ...facts,
  }
}
