import type { TearSheet } from '../../app/analytics/tear-sheet.ts'
import {
  annualized,
  count,
  cumulative,
  dateOf,
  money,
  percent,
  percentFigure,
  ratioFigure,
  type Shown,
} from './format.ts'
import { type Content, html, type Markup } from './html.ts'
import { maxDrawdown, toldRisk } from './risk.ts'

/** Characters that do not fit into a tile in large type. */
const LONG = 13

/** The figures that one looks for first. */
export function summarySection({ performance: report, benchmark }: TearSheet): Markup {
  const { performance, risk, reportingCurrency: currency } = report
  const { timeWeighted, moneyWeighted } = performance
  const [deepest] = risk.drawdowns
  const sharpe = ratioFigure(toldRisk(report, risk.sharpeRatio))
  return html`<section aria-label="Summary">
    <dl class="tiles">
      ${tile(`End value, ${currency}`, money(performance.endValue, currency))}
      ${tile(`Gain, ${currency}`, money(performance.gain, currency))}
      ${tile('Time-weighted return', cumulative(timeWeighted), [
        perYear(annualized(timeWeighted)),
        benchmark &&
          `${benchmark.benchmarkId}: ${cumulative(benchmark.benchmark.timeWeighted).text}`,
      ])}
      ${tile('Money-weighted return', cumulative(moneyWeighted), [
        perYear(annualized(moneyWeighted)),
      ])}
      ${tile('Volatility', percentFigure(toldRisk(report, risk.volatility)), [
        sharpe.isNumber ? `Sharpe ratio ${sharpe.text}` : undefined,
      ])}
      ${tile('Maximum drawdown', maxDrawdown(report), [deepest && `trough ${dateOf(deepest.troughDay)}`])}
    </dl>
  </section>`
}

function perYear({ text, isNumber }: Shown): string | undefined {
  return isNumber ? `${text} per year` : undefined
}

function tile(
  name: string,
  { text, isNumber }: Shown,
  more: readonly (string | undefined)[] = [],
): Content {
  const style = !isNumber ? 'large words' : text.length > LONG ? 'large long' : 'large'
  const told = more.filter((line) => line !== undefined)
  return html`<div>
    <dt>${name}</dt>
    <dd class="${style}">${text}</dd>
    ${told.map((line) => html`<dd class="small">${line}</dd>`)}
  </div>`
}

/** The deepest drawdowns with their course. */
export function drawdownTable({ performance: { risk } }: TearSheet): Content {
  if (risk.drawdowns.length === 0) return undefined
  return html`<table class="drawdowns">
    <caption>
      Deepest drawdowns
    </caption>
    <thead>
      <tr>
        <th scope="col" class="number">Depth</th>
        <th scope="col">Peak</th>
        <th scope="col">Trough</th>
        <th scope="col">Recovery</th>
        <th scope="col" class="number">Days</th>
      </tr>
    </thead>
    <tbody>
      ${risk.drawdowns.map(({ depth, peakDay, troughDay, recoveryDay }) => {
        return html`<tr>
          <td class="number">${percent(depth).text}</td>
          <td>${dateOf(peakDay)}</td>
          <td>${dateOf(troughDay)}</td>
          <td>${recoveryDay === undefined ? 'not yet' : dateOf(recoveryDay)}</td>
          <td class="number">
            ${recoveryDay === undefined ? '' : count(recoveryDay - peakDay).text}
          </td>
        </tr>`
      })}
    </tbody>
  </table>`
}
