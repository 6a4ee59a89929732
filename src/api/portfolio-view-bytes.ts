import type { PortfolioView } from '../app/portfolio/portfolio-view.ts'
import type { Decimal } from '../domain/decimal.ts'
import type { Instrument } from '../domain/market-data/instrument.ts'
import { heldFacts, pricedFacts, totalsOf, worthFacts } from '../domain/portfolio/detail.ts'
import type { Holding } from '../domain/portfolio/holding.ts'
import type { Position } from '../domain/portfolio/position.ts'
import { summaryOf } from '../domain/portfolio/summary.ts'
import type { Instant } from '../domain/time.ts'
import {
  GetPortfolioResponseSchema,
  PositionSchema,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { messageBytes, withWritten } from './message-bytes.ts'
import { presentHeld, presentPriced, presentTotals, presentWorth } from './portfolio-detail.ts'
import { detailFactsOf, presentSummary, presentViewFacts } from './portfolio-view.ts'

interface WrittenHolding {
  readonly instrument: Instrument | undefined
  readonly costBasis: Decimal
  readonly bytes: Buffer
}

interface WrittenPrice {
  readonly pricedAt: Instant | undefined
  readonly source: string
  readonly currency: string
  readonly exchangeRate: Decimal | undefined
  readonly bytes: Buffer
}

/**
 * Writes the answers of GetPortfolio. Prices change every second, and what an answer says of a holding stands until the
 * next write: it is written once for as long as the holding is kept in this process, and what it says of a price once
 * for all who hold the instrument.
 */
export class PortfolioViewBytes {
  readonly #holdings = new WeakMap<Holding, WrittenHolding>()
  readonly #prices = new WeakMap<Decimal, WrittenPrice>()

  of(view: PortfolioView): Buffer {
    const { valuation, effects, isHeld } = view
    const positions = valuation.positions.map((position) => {
      const worth = presentWorth(worthFacts(position, valuation, effects))
      const priced = this.#priced(position)
      return isHeld
        ? withWritten(PositionSchema, [this.#held(position), priced], worth)
        : withWritten(
            PositionSchema,
            [priced],
            Object.assign(presentHeld(heldFacts(position)), worth),
          )
    })
    return messageBytes(GetPortfolioResponseSchema, {
      ...presentViewFacts(view),
      portfolio: presentSummary(summaryOf(valuation)),
      detail: Object.assign(presentTotals(totalsOf(valuation, effects), detailFactsOf(view)), {
        positions,
      }),
    })
  }

  #held(position: Position): Buffer {
    const { holding, instrument, costBasis } = position
    const known = this.#holdings.get(holding)
    if (known !== undefined && known.instrument === instrument && known.costBasis === costBasis) {
      return known.bytes
    }
    const bytes = messageBytes(PositionSchema, presentHeld(heldFacts(position)))
    this.#holdings.set(holding, { instrument, costBasis, bytes })
    return bytes
  }

  #priced(position: Position): Buffer {
    const { price, pricedAt, source, currency, exchangeRate } = position
    const known = price && this.#prices.get(price)
    if (known !== undefined && isOf(known, position)) return known.bytes
    const bytes = messageBytes(PositionSchema, presentPriced(pricedFacts(position)))
    if (price) this.#prices.set(price, { pricedAt, source, currency, exchangeRate, bytes })
    return bytes
  }
}

function isOf(written: WrittenPrice, position: Position): boolean {
  return (
    written.pricedAt === position.pricedAt &&
    written.source === position.source &&
    written.currency === position.currency &&
    written.exchangeRate === position.exchangeRate
  )
}
