import type { BenchmarkComparison } from '../../app/analytics/compare-benchmarks.ts'
import type { PerformanceReport } from '../../app/analytics/get-performance.ts'
import type { Figure } from '../../domain/analytics/figure.ts'
import { MINIMUM_ACCEPTABLE_RETURN, type TearSheet } from '../../app/analytics/tear-sheet.ts'
import {
  annualized,
  count,
  cumulative,
  dateOf,
  fineFigure,
  money,
  moneyFigure,
  percent,
  percentFigure,
  ratioFigure,
  type Shown,
} from './format.ts'
import { type Content, html, type Markup } from './html.ts'
import { maxDrawdown, toldRisk } from './risk.ts'

/** A figure with what it means. */
interface Row {
  readonly name: string
  readonly shown: Shown
  readonly definition: string
}

/** Every figure with its definition, which is that of the function that computes it. */
export function figuresSection(sheet: TearSheet): Markup {
  const { performance, benchmark } = sheet
  return html`<section aria-labelledby="figures">
    <h2 id="figures">Figures and their definitions</h2>
    <div class="columns">
      ${table(`Value, ${performance.reportingCurrency}`, valueRows(performance))}
      ${table('Return', returnRows(performance))} ${table('Risk', riskRows(performance))}
      ${
        benchmark === undefined
          ? html`<p class="note">No benchmark was given: there is nothing to compare with.</p>`
          : table(`Against ${benchmark.benchmarkId}`, benchmarkRows(benchmark))
      }
    </div>
  </section>`
}

function table(caption: string, rows: readonly Row[]): Content {
  return html`<table class="figures">
    <caption>
      ${caption}
    </caption>
    <tbody>
      ${rows.map(
        ({ name, shown, definition }) =>
          html`<tr>
            <th scope="row">${name}<span class="definition">${definition}</span></th>
            <td class="${shown.isNumber ? 'number' : 'number words'}">${shown.text}</td>
          </tr>`,
      )}
    </tbody>
  </table>`
}

function valueRows({ performance, reportingCurrency: currency }: PerformanceReport): Row[] {
  const { startValue, inflows, outflows, endValue, gain } = performance
  return [
    row('Start value', money(startValue, currency), 'Of the evening before the first day.'),
    row(
      'Inflows',
      money(inflows, currency),
      'What came in from outside: deposits, units transferred in at their market value; purchases where no cash is tracked.',
    ),
    row(
      'Outflows',
      money(outflows, currency),
      'What left to outside: withdrawals, units transferred out at their market value; sales and income where no cash is tracked.',
    ),
    row('End value', money(endValue, currency), 'At the last close of each holding, with cash.'),
    row(
      'Gain',
      money(gain, currency),
      'End value less start value and inflows, plus outflows. Net of fees, before taxes.',
    ),
  ]
}

function returnRows({ performance }: PerformanceReport): Row[] {
  const { timeWeighted, moneyWeighted, modifiedDietz, simple } = performance
  return [
    row(
      'Time-weighted return',
      cumulative(timeWeighted),
      'Growth of one unit of money that stayed in. Days are linked: an inflow counts from the start of its day, an outflow until its end; a day splits at a flow that has a price of its moment.',
    ),
    row(
      'Time-weighted, per year',
      annualized(timeWeighted),
      '(1 + return)^(365 / days) − 1, both ends counted. Nothing under a year is annualised (GIPS 2020, 2.A.12).',
    ),
    row(
      'Money-weighted return',
      cumulative(moneyWeighted),
      '(1 + annual rate)^(days / 365) − 1: depends on when money moved.',
    ),
    row(
      'Money-weighted, per year',
      annualized(moneyWeighted),
      'XIRR, actual/365: the one annual rate at which what was put in is worth what was taken out and what is left.',
    ),
    row(
      'Modified Dietz return',
      cumulative(modifiedDietz),
      'Gain over the start value and each flow weighted by the part of the period that follows its day.',
    ),
    row('Simple return', percentFigure(simple), 'Gain over start value and inflows.'),
  ]
}

function riskRows(report: PerformanceReport): Row[] {
  const { risk, concentration } = report
  const asPercent = (figure: Figure): Shown => percentFigure(toldRisk(report, figure))
  const asRatio = (figure: Figure): Shown => ratioFigure(toldRisk(report, figure))
  const free = percent(risk.riskFreeRate).text
  const minimum = percent(MINIMUM_ACCEPTABLE_RETURN).text
  return [
    row(
      'Observations',
      count(risk.observations),
      'Daily returns: days on which something held has a quote of that day. What other days earn belongs to the next of them.',
    ),
    row(
      'Volatility',
      asPercent(risk.volatility),
      'Standard deviation of the daily returns with n − 1, times the root of 252.',
    ),
    row(
      'Downside deviation',
      asPercent(risk.downsideDeviation),
      `Root mean square of the shortfall below ${minimum} a year over all n observations, times the root of 252 (Sortino and van der Meer 1991).`,
    ),
    drawdownRow(report),
    row(
      'Sharpe ratio',
      asRatio(risk.sharpeRatio),
      `Mean over standard deviation (n − 1) of the daily returns less the risk-free rate of ${free} a year, times the root of 252 (Sharpe 1994).`,
    ),
    row(
      'Sortino ratio',
      asRatio(risk.sortinoRatio),
      `Mean daily return above ${minimum} a year over the shortfall below it, times the root of 252.`,
    ),
    row(
      'Calmar ratio',
      asRatio(risk.calmarRatio),
      'Annualised time-weighted return over the maximum drawdown (Young 1991); none under a year.',
    ),
    row(
      'Omega ratio',
      asRatio(risk.omegaRatio),
      `Daily gains above ${minimum} a year over losses below it (Keating and Shadwick 2002).`,
    ),
    ...tailRows(report),
    row(
      'Concentration',
      fineFigure(concentration),
      'Herfindahl-Hirschman index of the holdings: sum of squared shares of the gross value; 1 / n to 1.',
    ),
  ]
}

function drawdownRow(report: PerformanceReport): Row {
  const [deepest] = report.risk.drawdowns
  const meaning = 'Deepest fall of the growth below its highest point; the start counts as one.'
  if (deepest === undefined) return row('Maximum drawdown', maxDrawdown(report), meaning)
  const { peakDay, troughDay, recoveryDay } = deepest
  const end = recoveryDay === undefined ? 'not recovered yet' : `recovered ${dateOf(recoveryDay)}`
  const course = `Here from ${dateOf(peakDay)} to ${dateOf(troughDay)}, ${end}.`
  return row('Maximum drawdown', maxDrawdown(report), `${meaning} ${course}`)
}

function tailRows(report: PerformanceReport): Row[] {
  const { risk } = report
  const asPercent = (figure: Figure): Shown => percentFigure(toldRisk(report, figure))
  const asRatio = (figure: Figure): Shown => ratioFigure(toldRisk(report, figure))
  return [
    row(
      'Value at risk, 95%',
      asPercent(risk.valueAtRisk95),
      'Of one day, historical: the 5% quantile of the daily returns, interpolated (Hyndman and Fan 1996, type 7).',
    ),
    row(
      'Expected shortfall, 95%',
      asPercent(risk.expectedShortfall95),
      'Of one day: mean of the floor((n − 1) × 5%) + 1 worst daily returns.',
    ),
    row(
      'Skewness',
      asRatio(risk.skewness),
      'Third moment of the daily returns over the second to the power 1.5, both of the population (Joanes and Gill 1998, g1).',
    ),
    row(
      'Excess kurtosis',
      asRatio(risk.excessKurtosis),
      'Fourth moment over the square of the second, less 3, both of the population (Joanes and Gill 1998, g2).',
    ),
    row('Tail ratio', asRatio(risk.tailRatio), '95% quantile over 5% quantile, without sign.'),
  ]
}

function benchmarkRows(comparison: BenchmarkComparison): Row[] {
  const { benchmark, regression, isTotalReturn } = comparison
  const level = isTotalReturn ? 'dividends reinvested' : 'prices alone, without dividends'
  return [
    row(
      'Benchmark return',
      cumulative(benchmark.timeWeighted),
      `Its level at the end over that at the start, less 1, in the same currency; ${level}.`,
    ),
    row('Benchmark, per year', annualized(benchmark.timeWeighted), 'As for the portfolio.'),
    row(
      'Excess return',
      percentFigure(comparison.excess),
      'Time-weighted return of the portfolio less that of the benchmark.',
    ),
    ...sameCashFlowRows(comparison),
    row(
      'Alpha, per year',
      percentFigure(regression.alpha),
      '(1 + intercept)^252 − 1 of the regression of daily returns less the risk-free rate (Jensen 1968).',
    ),
    row('Beta', ratioFigure(regression.beta), 'Slope of that regression.'),
    row(
      'Correlation',
      ratioFigure(regression.correlation),
      'Of both daily returns, on the days that both have.',
    ),
    row('R²', ratioFigure(regression.rSquared), 'Square of the correlation.'),
    row(
      'Tracking error',
      percentFigure(comparison.trackingError),
      'Standard deviation (n − 1) of daily portfolio less benchmark returns, times the root of 252.',
    ),
    row(
      'Information ratio',
      ratioFigure(comparison.informationRatio),
      'Mean over standard deviation (n − 1) of those differences, times the root of 252 (Goodwin 1998).',
    ),
    row(
      'Up capture',
      ratioFigure(comparison.upCapture),
      'Portfolio over benchmark return, each compounded over the days on which the benchmark rose.',
    ),
    row(
      'Down capture',
      ratioFigure(comparison.downCapture),
      'The same over the days on which the benchmark fell.',
    ),
  ]
}

function sameCashFlowRows({ sameCashFlows, reportingCurrency }: BenchmarkComparison): Row[] {
  return [
    row(
      `Same cash flows, ${reportingCurrency}`,
      moneyFigure(sameCashFlows.endValue, reportingCurrency),
      'What the same money, moved on the same days, would be worth in the benchmark (Long and Nickels 1996).',
    ),
    row(
      `Difference, ${reportingCurrency}`,
      moneyFigure(sameCashFlows.difference, reportingCurrency),
      'What the portfolio has more.',
    ),
    row(
      'Public market equivalent',
      ratioFigure(sameCashFlows.publicMarketEquivalent),
      'Outflows and end value over start value and inflows, all grown by the benchmark to the end (Kaplan and Schoar 2005); above 1 the portfolio did better.',
    ),
  ]
}

function row(name: string, shown: Shown, definition: string): Row {
  return { name, shown, definition }
}
