import { html } from './html.ts'

/** Colours of both schemes; a test holds each pair of text and ground to WCAG 2.2's contrast. */
export const COLOURS = html`<style>
  :root {
    --page: #ffffff;
    --ground: #f5f6f8;
    --ink: #1b2432;
    --soft: #55606f;
    --rule: #dde1e7;
    --zero: #8b95a3;
    --own: #1f4e8c;
    --wash: #e4ecf6;
    --index: #a8660f;
    --paid: #5b6675;
    --loss: #b23a3a;
    --loss-wash: #f8e5e4;
    --good: #1d6b45;
    --warn: #8a5200;
    --up-1: #e8eff8;
    --up-2: #c5d9ee;
    --up-3: #8fb6de;
    --up-4: #2f6cad;
    --down-1: #fbeceb;
    --down-2: #f3cecb;
    --down-3: #e59f9a;
    --down-4: #b23a3a;
    --strong: #ffffff;
  }
  @media screen and (prefers-color-scheme: dark) {
    :root {
      --page: #14181f;
      --ground: #1c222b;
      --ink: #e7ebf0;
      --soft: #a4afbd;
      --rule: #2d3540;
      --zero: #6b7786;
      --own: #76aee8;
      --wash: #1e3047;
      --index: #dda24c;
      --paid: #a4afbd;
      --loss: #ee8b87;
      --loss-wash: #43252a;
      --good: #79c89f;
      --warn: #e5b066;
      --up-1: #1a2634;
      --up-2: #213c59;
      --up-3: #2b5684;
      --up-4: #8fc0f0;
      --down-1: #2c2024;
      --down-2: #4a282b;
      --down-3: #743336;
      --down-4: #f3a19d;
      --strong: #10141a;
    }
  }
</style>`
