import type { AnalyzeJob } from '../../domain/analytics/analyze-job.ts'
import { packLedger, type StoredEntry } from '../../domain/analytics/pack-ledger.ts'
import { constantRate } from '../../domain/analytics/risk-free-rates.ts'
import { SAME_CURRENCY } from '../../domain/analytics/valued-ledger.ts'
import { MICROSECONDS_PER_DAY } from '../../domain/time.ts'

const INSTRUMENTS = 20
const ENTRIES = 40
const DAYS = 365
const FIRST_DAY = 20_000

/** An analysis like most: a year of two dozen instruments, made up, so that doing it is what doing others will be. */
export function warmUpJob(): AnalyzeJob {
  const { numbers, instrumentIds, currencies } = packLedger(entries())
  const none = Int32Array.from(instrumentIds, () => -1)
  return {
    kind: 'analyze',
    ledger: {
      numbers,
      matrix: { firstDay: FIRST_DAY, dayCount: DAYS, closes: closes(instrumentIds.length) },
      priceRows: Int32Array.from(instrumentIds.keys()),
      priceRates: Int32Array.from(instrumentIds, () => SAME_CURRENCY),
      baseRate: SAME_CURRENCY,
      cashRates: Int32Array.from(currencies, () => SAME_CURRENCY),
      groups: none,
      cashGroup: -1,
      groupCount: 0,
    },
    period: { fromDay: FIRST_DAY, toDay: FIRST_DAY + DAYS - 1 },
    wantsRisk: true,
    riskTerms: { riskFree: constantRate(0), minimumAcceptableReturn: 0 },
  }
}

function entries(): StoredEntry[] {
  return Array.from({ length: ENTRIES }, (_, at) => {
    const day = FIRST_DAY + Math.floor((at * DAYS) / ENTRIES)
    return {
      day,
      at: day * MICROSECONDS_PER_DAY,
      type: at > INSTRUMENTS && at % 10 === 0 ? 'SELL' : 'BUY',
      instrumentId: `${at % INSTRUMENTS}`,
      quantity: 1 + (at % 3),
      price: 100 + (at % 7),
      isTracked: false,
      terms: undefined,
    }
  })
}

/** Two days a week are without, as they are elsewhere. */
function closes(rows: number): Float64Array {
  const all = new Float64Array(new SharedArrayBuffer(rows * DAYS * Float64Array.BYTES_PER_ELEMENT))
  for (let place = 0; place < all.length; place += 1) {
    all[place] = place % 7 > 4 ? NaN : 100 + ((place * 31) % 17)
  }
  return all
}
