import type { TearSheet } from '../../app/analytics/tear-sheet.ts'
import {
  type CalendarReturn,
  calendarReturns,
  type CalendarYear,
} from '../../domain/analytics/calendar-returns.ts'
import { isAnythingThere } from './charts.ts'
import { monthName, percentTenths } from './format.ts'
import { type Content, html, type Markup } from './html.ts'

/** Where a colour ends and the next stronger one begins, as fractions; a month's colours and a year's. */
const MONTH_STEPS = [0.005, 0.02, 0.05, 0.1]
const YEAR_STEPS = [0.02, 0.08, 0.16, 0.32]

/** Returns of months and years as a coloured table. */
export function heatMapSection(sheet: TearSheet): Markup {
  const { performance, benchmark } = sheet
  // Without capital there is no return, not one of zero.
  const years = isAnythingThere(sheet) ? calendarReturns(performance.series).toReversed() : []
  const index = new Map(
    calendarReturns(benchmark?.series ?? []).map(({ year, whole }) => [year, whole]),
  )
  return html`<section aria-labelledby="months">
    <h2 id="months">Monthly returns</h2>
    <p class="legend">
      <span
        >Per cent, time-weighted. The first and the last month are as long as the period has days of
        them.</span
      >
    </p>
    ${
      years.length === 0
        ? html`<p class="note">Nothing was held or moved in this period.</p>`
        : html`<div class="scroll" role="region" aria-labelledby="months" tabindex="0">
            <table class="heat">
              <thead>
                <tr>
                  <th scope="col">Year</th>
                  ${Array.from({ length: 12 }, (_, month) => {
                    return html`<th scope="col">${monthName(month)}</th>`
                  })}
                  <th scope="col">Year</th>
                  ${benchmark === undefined ? undefined : html`<th scope="col">${benchmark.benchmarkId}</th>`}
                </tr>
              </thead>
              <tbody>
                ${years.map((year) => row(year, benchmark && index.get(year.year)))}
              </tbody>
            </table>
          </div>`
    }
  </section>`
}

function row({ year, months, whole }: CalendarYear, index: CalendarReturn | undefined): Content {
  return html`<tr>
    <th scope="row">${year}</th>
    ${months.map((month) => cell(month, MONTH_STEPS))} ${cell(whole, YEAR_STEPS)}
    ${index === undefined ? undefined : cell(index, YEAR_STEPS)}
  </tr>`
}

function cell(told: CalendarReturn | undefined, steps: readonly number[]): Markup {
  if (told === undefined) return html`<td></td>`
  if (told.value === undefined) return html`<td><abbr title="cannot be known">n/k</abbr></td>`
  const size = Math.abs(told.value)
  const strength = steps.filter((step) => size >= step).length
  const style = strength === 0 ? 'even' : `${told.value < 0 ? 'down' : 'up'}-${strength}`
  return html`<td class="${style}">${percentTenths(told.value).text}</td>`
}
