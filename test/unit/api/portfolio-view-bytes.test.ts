import {
  create,
  type DescMessage,
  equals,
  fromBinary,
  isFieldSet,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import { describe, expect, it } from '@jest/globals'
import { PortfolioViewBytes } from '../../../src/api/portfolio-view-bytes.ts'
import { presentView } from '../../../src/api/portfolio-view.ts'
import type { PortfolioView } from '../../../src/app/portfolio/portfolio-view.ts'
import type { Quote } from '../../../src/domain/market-data/quote.ts'
import { type Valuation, valuePortfolio } from '../../../src/domain/portfolio/valuation.ts'
import {
  GetPortfolioResponseSchema,
  PositionSchema,
  ProfitLossSchema,
} from '../../../gen/portfolio/v1/portfolio_service_pb.ts'
import { PortfolioUpdateResponse_PortfolioSummary_AssetAllocationSchema as AssetSchema } from '../../../gen/portfolio/v1/portfolio_update_pb.ts'
import { describedAs } from '../domain/market-data/instruments.ts'
import {
  buy,
  NOW,
  quote,
  quoteSource,
  Scenario,
  sell,
  transferIn,
} from '../domain/portfolio/scenario.ts'

function viewOf(valuation: Valuation, facts: Partial<PortfolioView> = {}): PortfolioView {
  return {
    userId: 'user-1',
    version: 7,
    etag: '7-0123456789abcdef.01234567',
    notModified: false,
    completeness: valuation.quality.completeness,
    pricedAt: valuation.quality.pricedAt,
    valuation,
    effects: { total: undefined, of: () => undefined },
    at: undefined,
    recordedUntil: undefined,
    cached: true,
    isHeld: true,
    computedAt: NOW,
    expiresAt: NOW + 1_000_000,
    ...facts,
  }
}

function valued({ state }: Scenario, quotes: readonly Quote[]): Valuation {
  return valuePortfolio(state, quoteSource(...quotes), NOW)
}

const writer = new PortfolioViewBytes()

/** Whether the holdings of it are kept or not. */
function isSame(view: PortfolioView): boolean {
  const message = create(GetPortfolioResponseSchema, presentView(view))
  return [true, false].every((isHeld) => {
    const bytes = writer.of({ ...view, isHeld })
    const written = fromBinary(GetPortfolioResponseSchema, bytes)
    // In any order of fields, and none of them a default that is better left out.
    const { length } = toBinary(GetPortfolioResponseSchema, written)
    return equals(GetPortfolioResponseSchema, written, message) && bytes.length === length
  })
}

function heldByTwo(): Scenario {
  const scenario = new Scenario()
  scenario.record(
    buy('3', '10', 1),
    buy('7', '11.5', 2, { instrumentId: 'OTHER', accountId: 'A' }),
    buy('1', '2', 3, { instrumentId: 'BARE' }),
    // Of no known cost: no average, no basis that is complete.
    transferIn('4', '0', 4, { instrumentId: 'GIVEN' }),
  )
  return scenario
}

/** The fields that none of the messages has. */
function missing<Desc extends DescMessage>(
  schema: Desc,
  messages: readonly MessageShape<Desc>[],
): readonly string[] {
  return schema.fields
    .filter((field) => !messages.some((message) => isFieldSet(message, field)))
    .map(({ name }) => name)
}

describe('PortfolioViewBytes', () => {
  it('are those of the message, however often parts of it are written again', () => {
    const scenario = heldByTwo()
    const ticks = [
      [quote('ACME', '12'), quote('OTHER', '9.25')],
      [quote('ACME', '12.5'), quote('OTHER', '9.25', { source: 'second' })],
      [quote('ACME', '12.5', { pricedAt: NOW - 9e9 })],
      [quote('ACME', '8', { currency: 'EUR' }), quote('EUR/USD', '1.25', { kind: 'FX' })],
      [quote('ACME', '8', { currency: 'EUR' }), quote('EUR/USD', '1.5', { kind: 'FX' })],
    ]
    for (const quotes of ticks) expect(isSame(viewOf(valued(scenario, quotes)))).toBe(true)
    scenario.record(sell('1', '13', 9))
    for (const quotes of ticks) expect(isSame(viewOf(valued(scenario, quotes)))).toBe(true)
  })

  it('of one price shown by two sources, at two times and in two currencies are not mixed up', () => {
    const scenario = heldByTwo()
    const acme = quote('ACME', '12')
    const shown = [
      acme,
      { ...acme, source: 'second' },
      { ...acme, pricedAt: acme.pricedAt - 1 },
      { ...acme, currency: 'EUR' },
    ]
    // Neither has a rate, and so nothing but its name tells one currency from the other.
    for (const currency of ['EUR', 'GBP'])
      expect(isSame(viewOf(valued(scenario, [{ ...acme, currency }])))).toBe(true)
    for (const one of shown) {
      expect(isSame(viewOf(valued(scenario, [acme])))).toBe(true)
      expect(isSame(viewOf(valued(scenario, [one])))).toBe(true)
    }
    expect(
      isSame(
        viewOf(
          valued(scenario, [{ ...acme, currency: 'EUR' }, quote('EUR/USD', '2', { kind: 'FX' })]),
        ),
      ),
    ).toBe(true)
  })

  it('of a holding follow what reference data knows of it, and the currency it is shown in', () => {
    const valuation = valued(heldByTwo(), [quote('ACME', '12')])
    const [acme, ...others] = valuation.positions
    const instrument = { symbol: 'NEW', assetClass: 'EQUITY', multiplier: acme!.costBasis }
    for (const change of [{ instrument }, { costBasis: acme!.value }]) {
      expect(isSame(viewOf(valuation))).toBe(true)
      const positions = [{ ...acme!, ...change }, ...others] as Valuation['positions']
      expect(isSame(viewOf({ ...valuation, positions }))).toBe(true)
    }
  })

  it('have what is short, of many digits, without lots and moved by exchange rates', () => {
    const scenario = new Scenario({ allowShort: true })
    const long = '1234567890123456789012345678901234567890.0123456789012345678901234567890123456789'
    scenario.record(
      sell('3', '10', 1),
      buy('7', long, 2, { instrumentId: 'LONG' }),
      buy('0.5', '1', 3, { instrumentId: 'WORTHLESS' }),
    )
    const valuation = valued(scenario, [quote('ACME', '12.345'), quote('WORTHLESS', '0')])
    const effects = { total: valuation.totalValue, of: () => valuation.result.total }
    expect(isSame(viewOf(valuation, { effects }))).toBe(true)
    const [first, ...others] = valuation.positions
    const bare = { ...first!, holding: { ...first!.holding, lotCount: 0 } }
    const positions = [bare, ...others]
    expect(isSame(viewOf({ ...valuation, positions }))).toBe(true)
  })

  it('have every field that a position, its result and an asset have', () => {
    const valuation = valued(heldByTwo(), [quote('ACME', '12'), quote('OTHER', '9.25')])
    const effects = { total: valuation.totalValue, of: () => valuation.result.total }
    const positions = valuation.positions.map((position) => ({
      ...position,
      instrument: describedAs('X', 'EQUITY', { multiplier: '50' }),
    }))
    const view = viewOf({ ...valuation, positions }, { effects })
    const { detail, portfolio } = fromBinary(GetPortfolioResponseSchema, writer.of(view))
    expect(missing(PositionSchema, detail!.positions)).toEqual([])
    const results = detail!.positions.map(({ profitLoss }) => profitLoss!)
    expect(missing(ProfitLossSchema, results)).toEqual(['simple_return'])
    expect(missing(AssetSchema, portfolio!.assets)).toEqual([])
  })

  it('say of units of unknown cost that there is no average', () => {
    const { positions } = fromBinary(
      GetPortfolioResponseSchema,
      writer.of(viewOf(valued(heldByTwo(), [quote('GIVEN', '5')]))),
    ).detail!
    const given = positions.find(({ symbol }) => symbol === 'GIVEN')
    expect(given).toMatchObject({ averageCost: '', basisComplete: false, value: '20' })
  })

  it('say of a past moment which one', () => {
    const valuation = valued(heldByTwo(), [quote('ACME', '12')])
    expect(isSame(viewOf(valuation, { at: NOW - 5, recordedUntil: NOW - 3 }))).toBe(true)
  })
})
