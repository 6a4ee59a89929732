import type { TearSheet } from '../../app/analytics/tear-sheet.ts'
import type { Completeness, QualityIssue } from '../../domain/portfolio/quality.ts'
import { dateOf, momentOf, statusWords } from './format.ts'
import { type Content, html, type Markup } from './html.ts'

/** Of very many the first ones tell what is the matter. */
const ISSUES_MAX = 20

const COMPLETENESS: Readonly<Record<Completeness, string>> = {
  COMPLETE: 'Complete: every holding has a price that is recent for its class.',
  STALE: 'Stale: everything is valued, some of it with old prices.',
  PARTIAL: 'Partial: not everything could be valued, or not all that happened is counted.',
}

const REASONS: Readonly<Record<QualityIssue['reason'], string>> = {
  PRICE_MISSING: 'no price',
  PRICE_STALE: 'old price',
  FX_MISSING: 'no exchange rate',
  BASIS_UNKNOWN: 'cost unknown',
  SPLIT_SUSPECTED: 'split suspected',
  ACTION_LEFT_OUT: 'corporate action left out',
}

/** How far the figures can be trusted, and what they are of. */
export function notesSection(sheet: TearSheet): Markup {
  const { performance, benchmark, computedAt, timeZone } = sheet
  const { quality } = performance
  return html`<section aria-labelledby="notes">
    <h2 id="notes">Data quality and notes</h2>
    <p>${COMPLETENESS[quality.completeness]}</p>
    ${issues(quality.issues)}
    <ul class="notes">
      ${
        quality.pricedAt === undefined
          ? undefined
          : html`<li>The oldest price used is of ${momentOf(quality.pricedAt).slice(0, 10)}.</li>`
      }
      ${benchmark === undefined ? html`<li>No benchmark was given.</li>` : benchmarkNotes(benchmark, sheet)}
      <li>Figures are net of fees and before taxes; past returns do not tell future ones.</li>
      <li>A day is one of the time zone ${timeZone}; a close is the last price of a UTC day.</li>
      <li>Computed ${momentOf(computedAt)}.</li>
    </ul>
  </section>`
}

export function qualityBadge({ performance: { quality } }: TearSheet): Markup {
  const { completeness } = quality
  return html`<span class="badge ${completeness.toLowerCase()}"
    >Data ${completeness.toLowerCase()}</span
  >`
}

function issues(all: readonly QualityIssue[]): Content {
  if (all.length === 0) return undefined
  const more = all.length - ISSUES_MAX
  return html`<ul class="issues">
    ${all.slice(0, ISSUES_MAX).map(({ symbol, reason, detail }) => {
      return html`<li><strong>${symbol}</strong> ${REASONS[reason]}: ${detail}</li>`
    })}
    ${more > 0 ? html`<li>and ${more} more</li>` : undefined}
  </ul>`
}

function benchmarkNotes(
  { benchmarkId, isTotalReturn, benchmark, quality }: NonNullable<TearSheet['benchmark']>,
  { performance, benchmarkPricedOn: pricedOn }: TearSheet,
): Content {
  const { timeWeighted } = benchmark
  const own = quality.issues.filter(
    ({ symbol, reason }) =>
      !performance.quality.issues.some(
        (issue) => issue.symbol === symbol && issue.reason === reason,
      ),
  )
  return [
    isTotalReturn
      ? html`<li>The benchmark ${benchmarkId} is told with its dividends reinvested.</li>`
      : html`<li>
          The benchmark ${benchmarkId} is told by its prices alone; dividends are not in it.
        </li>`,
    pricedOn === undefined
      ? html`<li>There is no price of the benchmark.</li>`
      : html`<li>Its last price used is of ${dateOf(pricedOn)}.</li>`,
    timeWeighted.status === 'OK'
      ? undefined
      : html`<li>
          Its return over the period is not known: ${statusWords(timeWeighted.status)}.
        </li>`,
    own.map(
      ({ symbol, reason, detail }) =>
        html`<li>Of the benchmark, ${symbol}: ${REASONS[reason]}, ${detail}.</li>`,
    ),
  ]
}
