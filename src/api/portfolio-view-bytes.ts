import type { PortfolioView } from '../app/portfolio/portfolio-view.ts'
import type { Decimal } from '../domain/decimal.ts'
import type { Instrument } from '../domain/market-data/instrument.ts'
import { pricedFacts, totalsOf } from '../domain/portfolio/detail.ts'
import type { Holding } from '../domain/portfolio/holding.ts'
import type { Position } from '../domain/portfolio/position.ts'
import { summaryTotalsOf } from '../domain/portfolio/summary.ts'
import type { Valuation } from '../domain/portfolio/valuation.ts'
import type { Instant } from '../domain/time.ts'
import {
  GetPortfolioResponseSchema,
  PortfolioDetailSchema,
  PositionSchema,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { PortfolioUpdateResponse_PortfolioSummarySchema as SummarySchema } from '../../gen/portfolio/v1/portfolio_update_pb.ts'
import { ByteWriter } from './byte-writer.ts'
import { fieldTag, messageBytes, withWritten } from './message-bytes.ts'
import { presentPriced, presentTotals } from './portfolio-detail.ts'
import { detailFactsOf, presentViewFacts } from './portfolio-view.ts'
import { writeAsset, writeHeld, writeWorth } from './position-bytes.ts'

const POSITIONS = fieldTag(PortfolioDetailSchema, 'positions')
const ASSETS = fieldTag(SummarySchema, 'assets')

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
  readonly #writer = new ByteWriter()
  /** What is kept is written while an answer is. */
  readonly #part = new ByteWriter()

  of(view: PortfolioView): Buffer {
    const { valuation, effects } = view
    return messageBytes(GetPortfolioResponseSchema, {
      ...presentViewFacts(view),
      portfolio: withWritten(SummarySchema, [this.#assets(valuation)], summaryTotalsOf(valuation)),
      detail: withWritten(
        PortfolioDetailSchema,
        [this.#positions(view)],
        presentTotals(totalsOf(valuation, effects), detailFactsOf(view)),
      ),
    })
  }

  #assets({ assets }: Valuation): Buffer {
    const writer = this.#writer
    writer.reset()
    for (const asset of assets) {
      const start = writer.open(ASSETS)
      writeAsset(writer, asset)
      writer.close(start)
    }
    return writer.taken()
  }

  #positions({ valuation, effects, isHeld }: PortfolioView): Uint8Array {
    const writer = this.#writer
    writer.reset()
    for (const position of valuation.positions) {
      const start = writer.open(POSITIONS)
      if (isHeld) writer.raw(this.#held(position))
      else writeHeld(writer, position)
      writer.raw(this.#priced(position))
      writeWorth(writer, position, valuation, effects)
      writer.close(start)
    }
    return writer.written
  }

  #held(position: Position): Buffer {
    const { holding, instrument, costBasis } = position
    const known = this.#holdings.get(holding)
    if (known !== undefined && known.instrument === instrument && known.costBasis === costBasis) {
      return known.bytes
    }
    this.#part.reset()
    writeHeld(this.#part, position)
    const bytes = this.#part.taken()
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
