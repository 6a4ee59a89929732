import type { ValuedLedger } from '../../domain/analytics/valued-ledger.ts'
import type { PackedLedger } from '../../domain/analytics/ledger-numbers.ts'
import type { ActedLedger } from '../../domain/analytics/fold-actions.ts'
import type { InstrumentSource } from '../../domain/market-data/instrument.ts'
import { symbolOf } from '../../domain/market-data/instrument.ts'
import type { Instant } from '../../domain/time.ts'
import { type ActionPorts, actedLedger } from './acted-ledgers.ts'
import { NEWS_MAX, type ResidentPrices, tooMuchNews } from './resident-prices.ts'

export type Prices = Pick<ResidentPrices, 'actions' | 'closes' | 'ensure'>

/** What each group of a ledger is made of: nothing, one instrument, or one asset class; cash is one by itself. */
export type Grouping = 'none' | 'instrument' | 'class'

export const CASH_GROUP = 'CASH'

/** How much is known, in which currency to value (undefined = each ledger's own), and what else is to be priced. */
interface Wanted {
  readonly recordedUntil: Instant | undefined
  readonly reportingCurrency: string | undefined
  readonly more?: readonly string[]
}

/**
 * The ledgers with their corporate actions in them, and everything present that values them.
 * @throws PortfolioError ANALYSIS_FAILED when news of actions does not end; DATABASE_UNAVAILABLE.
 */
export async function prepareLedgers(
  ports: ActionPorts & { readonly prices: Prices },
  ledgers: readonly PackedLedger[],
  { recordedUntil, reportingCurrency, more = [] }: Wanted,
): Promise<readonly ActedLedger[]> {
  const { prices, clock } = ports
  for (let news = 0; news <= NEWS_MAX; news += 1) {
    const { actions } = prices
    const known = { actions, due: actions.dueAt(clock.now()) }
    const acted = await Promise.all(
      ledgers.map((ledger) => actedLedger(ports, ledger, { known, recordedUntil })),
    )
    const found = acted.map(({ ledger }) => ledger)
    await preparePrices(prices, found, reportingCurrency, more)
    // Quantities and prices are of units after the same splits.
    if (prices.actions === actions) return acted
  }
  throw tooMuchNews()
}

async function preparePrices(
  prices: Prices,
  ledgers: readonly PackedLedger[],
  reportingCurrency: string | undefined,
  more: readonly string[],
): Promise<void> {
  await prices.ensure([...ledgers.flatMap(({ instrumentIds }) => instrumentIds), ...more])
  const pairs = new Set<string>()
  for (const ledger of ledgers) {
    const reporting = reportingCurrency ?? ledger.baseCurrency
    for (const currency of currenciesOf(prices, ledger, more)) {
      for (const pair of prices.closes.missingPairs(currency, reporting)) pairs.add(pair)
    }
  }
  if (pairs.size > 0) await prices.ensure(pairs)
}

function currenciesOf(
  { closes }: Prices,
  { baseCurrency, instrumentIds, currencies }: PackedLedger,
  more: readonly string[],
): ReadonlySet<string> {
  const quoted = [...instrumentIds, ...more].map((each) => closes.currencyOf(each))
  return new Set([...quoted, ...currencies].map((each) => (each === '' ? baseCurrency : each)))
}

/** A ledger with the places of its prices, which {@link prepareLedgers} made present, and the names of its groups. */
export function valuedLedger(
  ledger: PackedLedger,
  { prices, instruments }: { prices: Prices; instruments: InstrumentSource },
  reportingCurrency: string,
  grouping: Grouping,
): { readonly ledger: ValuedLedger; readonly groupNames: readonly string[] } {
  const { closes } = prices
  const rateOf = (currency: string): number =>
    closes.rateRow(currency === '' ? ledger.baseCurrency : currency, reportingCurrency)
  // Rates first: making room for one moves the whole matrix.
  const baseRate = rateOf('')
  const priceRates = Int32Array.from(ledger.instrumentIds, (each) =>
    rateOf(closes.currencyOf(each)),
  )
  const cashRates = Int32Array.from(ledger.currencies, rateOf)
  const { groups, names } = groupsOf(ledger, instruments, grouping)
  return {
    ledger: {
      numbers: ledger.numbers,
      matrix: closes.matrix,
      priceRows: Int32Array.from(ledger.instrumentIds, (each) => closes.rowOf(each)),
      priceRates,
      baseRate,
      cashRates,
      groups,
      cashGroup: names.indexOf(CASH_GROUP),
      groupCount: names.length,
    },
    groupNames: names,
  }
}

function groupsOf(
  { instrumentIds }: PackedLedger,
  instruments: InstrumentSource,
  grouping: Grouping,
): { groups: Int32Array; names: readonly string[] } {
  if (grouping === 'none')
    return { groups: new Int32Array(instrumentIds.length).fill(-1), names: [] }
  const names = [CASH_GROUP]
  const groups = Int32Array.from(instrumentIds, (instrumentId) => {
    const name =
      grouping === 'class'
        ? classOf(instruments, instrumentId)
        : symbolOf(instruments, instrumentId)
    const known = grouping === 'class' ? names.indexOf(name) : -1
    if (known >= 0) return known
    names.push(name)
    return names.length - 1
  })
  return { groups, names }
}

/** What nobody described is of no class. */
export function classOf(instruments: InstrumentSource, instrumentId: string): string {
  return instruments.get(instrumentId)?.assetClass ?? 'UNSPECIFIED'
}
