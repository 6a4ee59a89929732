import type { TearSheet } from '../../app/analytics/tear-sheet.ts'
import { drawdownSection, returnSection, valueSection } from './charts.ts'
import { COLOURS } from './colours.ts'
import { FIGURE_STYLE } from './figure-style.ts'
import { figuresSection } from './figures.ts'
import { dateOf, momentOf } from './format.ts'
import { heatMapSection } from './heat-map.ts'
import { allocationSection, contributionSection } from './holdings.ts'
import { html, type Markup } from './html.ts'
import { notesSection, qualityBadge } from './notes.ts'
import { PAGE_STYLE } from './style.ts'
import { drawdownTable, summarySection } from './summary.ts'

/** What a browser is to allow the page: its own style, and nothing else. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

/** A report as one HTML page, which needs nothing beside it and runs no script; the same answer gives the same page. */
export function tearSheetPage(sheet: TearSheet): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${PAGE_POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <link rel="icon" href="data:," />
        <title>Portfolio report: ${sheet.userId}</title>
        ${COLOURS}${FIGURE_STYLE}${PAGE_STYLE}
      </head>
      <body>
        <main>
          ${header(sheet)} ${summarySection(sheet)} ${valueSection(sheet)} ${returnSection(sheet)}
          ${drawdownSection(sheet)} ${drawdownTable(sheet)} ${heatMapSection(sheet)}
          ${allocationSection(sheet)} ${contributionSection(sheet)} ${figuresSection(sheet)}
          ${notesSection(sheet)}
        </main>
      </body>
    </html>`
  return `${page.toString()}\n`
}

function header(sheet: TearSheet): Markup {
  const { performance, reportingCurrency } = sheet.performance
  const { startDay, endDay } = performance
  const benchmark = sheet.benchmark?.benchmarkId ?? 'none given'
  return html`<header>
    <p class="kind">Portfolio report</p>
    <h1><bdi>${sheet.userId}</bdi></h1>
    <dl class="facts">
      <div>
        <dt>Period</dt>
        <dd>${startDay === endDay ? undefined : `${dateOf(startDay)} – `}${dateOf(endDay)}</dd>
      </div>
      <div>
        <dt>Currency</dt>
        <dd>${reportingCurrency}</dd>
      </div>
      <div>
        <dt>Benchmark</dt>
        <dd>${benchmark}</dd>
      </div>
      <div>
        <dt>Computed</dt>
        <dd>${momentOf(sheet.computedAt)}</dd>
      </div>
      <div>
        <dt>Quality</dt>
        <dd>${qualityBadge(sheet)}</dd>
      </div>
    </dl>
  </header>`
}
