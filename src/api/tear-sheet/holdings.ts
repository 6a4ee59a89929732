import type { HeldShare, TearSheet } from '../../app/analytics/tear-sheet.ts'
import { money, percentShort, quantity, type Shown, words } from './format.ts'
import { type Content, html, type Markup } from './html.ts'

/** More rows than this are summed up in one. */
const ROWS_MAX = 12

const CLASS_NAMES: Readonly<Record<string, string>> = { UNSPECIFIED: 'Not described' }

/** What the portfolio is made of at the end of the period, by holding and by asset class. */
export function allocationSection(sheet: TearSheet): Markup {
  const { reportingCurrency: currency } = sheet.performance
  return html`<section aria-labelledby="allocation">
    <h2 id="allocation">Allocation</h2>
    ${
      sheet.allocation.length + sheet.holdings.length === 0
        ? html`<p class="note">Nothing is held at the end of the period.</p>`
        : html`<div class="columns">
              ${holdingTable(sheet, currency)}${classTable(sheet, currency)}
            </div>
            ${unpriced(sheet)}`
    }
  </section>`
}

function unpriced({ holdings }: TearSheet): Content {
  if (holdings.every(({ value }) => value !== undefined)) return undefined
  return html`<p class="note">Weights are shares of what has a value.</p>`
}

function holdingTable({ holdings, allocation }: TearSheet, currency: string): Content {
  const total = allocation.reduce((sum, { value }) => sum + value, 0)
  const [most, others] = [holdings.slice(0, ROWS_MAX), holdings.slice(ROWS_MAX)]
  const rest = others.reduce((sum, { value = 0 }) => sum + value, 0)
  const row = ({ symbol, quantity: units, value }: HeldShare): Markup =>
    shareRow([symbol, quantity(units)], value, { total, currency })
  return html`<table class="shares">
    <caption>
      Holdings
    </caption>
    <thead>
      <tr>
        <th scope="col">Symbol</th>
        <th scope="col" class="number">Units</th>
        <th scope="col" class="number">Value, ${currency}</th>
        <th scope="col" class="number">Weight</th>
        <td></td>
      </tr>
    </thead>
    <tbody>
      ${most.map(row)}
      ${
        others.length === 0
          ? undefined
          : shareRow([`${others.length} others`, words('')], rest, { total, currency })
      }
    </tbody>
  </table>`
}

function classTable({ allocation }: TearSheet, currency: string): Content {
  const total = allocation.reduce((sum, { value }) => sum + value, 0)
  return html`<table class="shares">
    <caption>
      Asset classes
    </caption>
    <thead>
      <tr>
        <th scope="col">Class</th>
        <th scope="col" class="number">Value, ${currency}</th>
        <th scope="col" class="number">Weight</th>
        <td></td>
      </tr>
    </thead>
    <tbody>
      ${allocation
        .toSorted((left, right) => Math.abs(right.value) - Math.abs(left.value))
        .map(({ key, value }) => shareRow([className(key)], value, { total, currency }))}
    </tbody>
  </table>`
}

/** "Real estate" for REAL_ESTATE. */
function className(key: string): string {
  const name = CLASS_NAMES[key] ?? key.replaceAll('_', ' ').toLowerCase()
  return key === 'ETF' ? key : name.charAt(0).toUpperCase() + name.slice(1)
}

function shareRow(
  [name, units]: readonly [string, Shown?],
  value: number | undefined,
  { total, currency }: { readonly total: number; readonly currency: string },
): Markup {
  const weight = value === undefined || total === 0 ? undefined : value / total
  return html`<tr>
    <th scope="row">${name}</th>
    ${units === undefined ? undefined : html`<td class="number">${units.text}</td>`}
    ${
      value === undefined
        ? html`<td class="number words" colspan="2">no price</td>`
        : html`<td class="number">${money(value, currency).text}</td>
            <td class="number">${weight === undefined ? '' : percentShort(weight).text}</td>`
    }
    <td class="share">${weight === undefined ? undefined : shareBar(weight, value ?? 0)}</td>
  </tr>`
}

function shareBar(weight: number, value: number): Markup {
  const width = Math.round(Math.min(1, Math.abs(weight)) * 1_000) / 10
  return html`<svg aria-hidden="true" width="100%" height="10">
    <rect class="${value < 0 ? 'out' : 'in'}" width="${width}%" height="10" />
  </svg>`
}

/** What each symbol added to the time-weighted return. */
export function contributionSection({ performance: { attribution } }: TearSheet): Content {
  if (attribution.length === 0) return undefined
  const parts = attribution
    .map(({ component, amount }) => ({ component, added: amount.toNumber() }))
    .toSorted((left, right) => Math.abs(right.added) - Math.abs(left.added))
  const [most, others] = [parts.slice(0, ROWS_MAX), parts.slice(ROWS_MAX)]
  const rest = others.reduce((sum, { added }) => sum + added, 0)
  const rows =
    others.length === 0 ? most : [...most, { component: `${others.length} others`, added: rest }]
  const largest = Math.max(...rows.map(({ added }) => Math.abs(added)))
  const total = parts.reduce((sum, { added }) => sum + added, 0)
  return html`<section aria-labelledby="contribution">
    <h2 id="contribution">Contribution to the return</h2>
    <table class="shares contribution">
      <thead>
        <tr>
          <th scope="col">Symbol</th>
          <th scope="col" class="number">Points of the return</th>
          <td></td>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ component, added }) =>
            html`<tr>
              <th scope="row">${component === 'CASH' ? 'Cash' : component}</th>
              <td class="number">${percentShort(added).text}</td>
              <td class="share">${shareBar(added / largest, added)}</td>
            </tr>`,
        )}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Time-weighted return</th>
          <td class="number">${percentShort(total).text}</td>
          <td></td>
        </tr>
      </tfoot>
    </table>
  </section>`
}
