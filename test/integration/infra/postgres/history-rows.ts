import { each, MOMENT, NOT_FINITE, type Row } from './row-cases.ts'

export const GOOD_HISTORY: Readonly<Record<string, Row>> = {
  packed_closes: {
    instrument_id: 'good',
    revision: 0,
    packed_before: MOMENT,
    currency: 'USD',
    days: `\\x${'00'.repeat(4)}`,
    prices: `\\x${'00'.repeat(8)}`,
    units_of: `\\x${'00'.repeat(8)}`,
  },
  lease: { name: 'good', holder: 'h', expires_at: MOMENT, token: 0 },
  valuation: {
    user_id: 'good',
    day: '2024-01-02',
    currency: 'USD',
    value: '-1',
    inflow: '0',
    outflow: '0',
    growth: '0',
    observed: true,
    completeness: 'COMPLETE',
    version: 1,
    action_epoch: 0,
    quotes_until: MOMENT,
    computed_at: '2024-01-03T00:00:00Z',
  },
  valuation_head: {
    user_id: 'good',
    version: 0,
    kept_until: '2024-01-02',
    instrument_ids: '{AAPL}',
    attempts: 1,
    attempted_version: 0,
    retry_at: MOMENT,
  },
}

export const GOOD_NEWS: Row = {
  name: 'seen',
  quotes_until: MOMENT,
  action_epoch: 0,
  instrument_epoch: 0,
}

export const BAD_HISTORY: Readonly<Record<string, readonly Row[]>> = {
  packed_closes: [
    ...each('revision', [-1]),
    ...each('packed_before', [null]),
    ...each('days', [null, '\\x0000000000000000']),
    ...each('prices', [null, '\\x00000000']),
    ...each('units_of', [null, '\\x00000000']),
  ],
  lease: each('token', [-1]),
  valuation: [
    ...each('currency', ['usd', 'US', 'USDT', '']),
    ...each('value', [null, ...NOT_FINITE]),
    ...each('inflow', ['-1', null, ...NOT_FINITE]),
    ...each('outflow', ['-1', null, ...NOT_FINITE]),
    ...each('growth', ['-0.1', ...NOT_FINITE]),
    ...each('completeness', ['complete', 'STALE']),
    ...each('version', [0]),
    ...each('action_epoch', [-1]),
    // A day that is not over.
    ...each('computed_at', ['2024-01-02T23:59:59Z']),
    { value: null, completeness: 'PARTIAL' },
  ],
  valuation_head: [
    ...each('version', [-1]),
    ...each('attempts', [-1, 0]),
    ...each('attempted_version', [-1]),
    { retry_at: null },
  ],
  valuation_news: [
    ...each('name', ['other']),
    ...each('action_epoch', [-1]),
    ...each('instrument_epoch', [-1]),
  ],
}

export const LEGAL_HISTORY: readonly (readonly [string, Row])[] = [
  ['packed_closes', { days: null, prices: null, units_of: null }],
  ['packed_closes', { packed_before: null, days: null, prices: null, units_of: null }],
  ['valuation', { value: null, growth: null, completeness: 'PARTIAL' }],
  ['valuation', { inflow: null, outflow: null, growth: null, completeness: 'PARTIAL' }],
  ['valuation_head', { attempts: 0, retry_at: null, kept_until: null }],
]
