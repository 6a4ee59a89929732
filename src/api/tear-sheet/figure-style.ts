import { html } from './html.ts'

/** Charts and tables. */
export const FIGURE_STYLE = html`<style>
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 20px;
    margin: 0 0 10px;
  }
  .key::before {
    background: currentcolor;
    content: '';
    display: inline-block;
    height: 3px;
    margin-right: 7px;
    vertical-align: middle;
    width: 16px;
    print-color-adjust: exact;
    -webkit-print-color-adjust: exact;
  }
  .key.own::before {
    background: var(--own);
  }
  .key.index::before {
    background: var(--index);
  }
  .key.paid::before {
    background: var(--paid);
  }
  .key.loss::before {
    background: var(--loss);
  }
  .chart {
    display: grid;
    grid-template-columns: minmax(0, 1fr) 64px;
  }
  svg {
    display: block;
  }
  svg text {
    fill: var(--soft);
    font-size: 12px;
  }
  .grid {
    stroke: var(--rule);
  }
  .zero {
    stroke: var(--zero);
  }
  .line {
    fill: none;
    stroke-linecap: round;
    stroke-linejoin: round;
    stroke-width: 1.75px;
    vector-effect: non-scaling-stroke;
  }
  .line.own {
    stroke: var(--own);
  }
  .line.index {
    stroke: var(--index);
    stroke-width: 1.25px;
  }
  .line.paid {
    stroke: var(--paid);
    stroke-dasharray: 5 4;
    stroke-width: 1.25px;
  }
  .line.loss {
    stroke: var(--loss);
    stroke-width: 1.25px;
  }
  .area.own {
    fill: var(--wash);
  }
  .area.loss {
    fill: var(--loss-wash);
  }
  .in {
    fill: var(--own);
  }
  .out {
    fill: var(--loss);
  }
  table {
    border-collapse: collapse;
    width: 100%;
  }
  caption {
    font-weight: 600;
    padding-bottom: 6px;
    text-align: left;
  }
  th,
  td {
    border-bottom: 1px solid var(--rule);
    padding: 5px 0 5px 14px;
    text-align: left;
    vertical-align: top;
  }
  th:first-child,
  td:first-child {
    padding-left: 0;
  }
  th {
    font-weight: 400;
    overflow-wrap: anywhere;
  }
  thead th {
    color: var(--soft);
    font-size: 12px;
    overflow-wrap: normal;
    vertical-align: bottom;
  }
  tfoot th,
  tfoot td {
    border-bottom: 0;
    font-weight: 600;
  }
  .number {
    text-align: right;
    white-space: nowrap;
  }
  .number.words {
    white-space: normal;
  }
  .columns {
    column-gap: 48px;
    display: grid;
    grid-template-columns: repeat(2, minmax(0, 1fr));
    row-gap: 32px;
  }
  .columns > * {
    align-self: start;
  }
  .shares .share {
    min-width: 56px;
    padding-top: 11px;
    width: 24%;
  }
  .shares th:first-child {
    min-width: 64px;
  }
  .contribution .share {
    width: 56%;
  }
  .values text {
    text-anchor: end;
  }
  .drawdowns {
    margin-top: 24px;
  }
  .drawdowns td:nth-child(2),
  .drawdowns th:nth-child(2) {
    padding-left: 32px;
  }
  .drawdowns td:first-child,
  .drawdowns th:first-child {
    width: 72px;
  }
  .figures .definition {
    display: block;
    max-width: 44em;
  }
  .figures td {
    min-width: 96px;
  }
  .scroll {
    overflow-x: auto;
  }
  .heat {
    border-collapse: separate;
    border-spacing: 2px;
    min-width: 640px;
    table-layout: fixed;
  }
  .heat th,
  .heat td {
    border: 0;
    font-size: 12px;
    padding: 5px 6px;
    text-align: right;
    white-space: nowrap;
  }
  .heat th:first-child {
    background: var(--page);
    left: 0;
    padding-left: 0;
    position: sticky;
    text-align: left;
  }
  .heat td {
    print-color-adjust: exact;
    -webkit-print-color-adjust: exact;
  }
  .even {
    background: var(--ground);
  }
  .up-1 {
    background: var(--up-1);
  }
  .up-2 {
    background: var(--up-2);
  }
  .up-3 {
    background: var(--up-3);
  }
  .up-4 {
    background: var(--up-4);
    color: var(--strong);
  }
  .down-1 {
    background: var(--down-1);
  }
  .down-2 {
    background: var(--down-2);
  }
  .down-3 {
    background: var(--down-3);
  }
  .down-4 {
    background: var(--down-4);
    color: var(--strong);
  }
  abbr {
    text-decoration: none;
  }
</style>`
