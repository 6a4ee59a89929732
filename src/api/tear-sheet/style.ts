import { html } from './html.ts'

/** Text and layout, on a page, on a narrow one and on paper; it stands after {@link FIGURE_STYLE}. */
export const PAGE_STYLE = html`<style>
  * {
    box-sizing: border-box;
  }
  html {
    background: var(--page);
    color: var(--ink);
    font:
      14px/1.5 Inter,
      'Helvetica Neue',
      Helvetica,
      Arial,
      'Liberation Sans',
      sans-serif;
    font-variant-numeric: tabular-nums;
    -webkit-text-size-adjust: 100%;
  }
  body {
    margin: 0;
  }
  main {
    max-width: 1040px;
    margin: 0 auto;
    padding: 48px 32px 72px;
  }
  header {
    border-bottom: 2px solid var(--ink);
    padding-bottom: 20px;
  }
  h1,
  h2,
  h3 {
    font-weight: 600;
    line-height: 1.25;
    margin: 0;
  }
  h1 {
    font-size: 30px;
    overflow-wrap: anywhere;
  }
  h2 {
    font-size: 17px;
    margin-bottom: 8px;
  }
  h3 {
    color: var(--soft);
    font-size: 12px;
    margin: 16px 0 4px;
  }
  section {
    margin-top: 44px;
  }
  .kind {
    color: var(--soft);
    font-size: 12px;
    letter-spacing: 0.08em;
    margin: 0 0 4px;
    text-transform: uppercase;
  }
  dl,
  dd {
    margin: 0;
  }
  dt,
  .legend,
  .note,
  .definition {
    color: var(--soft);
    font-size: 12px;
  }
  .facts {
    display: flex;
    flex-wrap: wrap;
    gap: 12px 40px;
    margin-top: 16px;
  }
  .facts dd {
    overflow-wrap: anywhere;
  }
  .tiles {
    display: grid;
    gap: 20px 32px;
    grid-template-columns: repeat(3, 1fr);
  }
  .tiles > div {
    border-top: 1px solid var(--rule);
    padding-top: 10px;
  }
  .large {
    font-size: 24px;
    font-weight: 600;
    line-height: 1.3;
    overflow-wrap: anywhere;
  }
  .large.long {
    font-size: 15px;
    line-height: 31px;
  }
  .large.words {
    font-size: 16px;
    font-weight: 400;
    line-height: 31px;
  }
  .small {
    color: var(--soft);
    font-size: 12px;
  }
  .words {
    color: var(--soft);
    font-style: italic;
  }
  .badge {
    border: 1px solid currentcolor;
    border-radius: 3px;
    font-size: 12px;
    padding: 1px 6px;
  }
  .complete {
    color: var(--good);
  }
  .stale,
  .partial {
    color: var(--warn);
  }
  .issues,
  .notes {
    margin: 8px 0 0;
    padding-left: 18px;
  }
  @media screen and (max-width: 720px) {
    main {
      padding: 24px 16px 48px;
    }
    .tiles {
      grid-template-columns: repeat(2, minmax(0, 1fr));
    }
    .columns {
      grid-template-columns: minmax(0, 1fr);
    }
    .large {
      font-size: 20px;
    }
    .minor {
      display: none;
    }
    .number {
      overflow-wrap: anywhere;
      white-space: normal;
    }
  }
  @media print {
    @page {
      margin: 14mm;
    }
    html {
      font-size: 12px;
    }
    main {
      max-width: none;
      padding: 0;
    }
    section {
      margin-top: 24px;
    }
    h2,
    h3,
    caption {
      break-after: avoid;
    }
    .chart,
    .tiles,
    tr {
      break-inside: avoid;
    }
    .heat {
      min-width: 0;
    }
    .scroll {
      overflow: visible;
    }
  }
</style>`
