import { describe, expect, it } from '@jest/globals'
import { invalidRequest, PortfolioError, type Violation } from '../../../src/domain/errors.ts'

const QUANTITY: Violation = {
  field: 'transactions[3].quantity',
  reason: 'QUANTITY_INVALID',
  description: 'must be > 0',
}
const SYMBOL: Violation = { field: 'symbol', reason: 'SYMBOL_INVALID', description: 'is no symbol' }

describe('invalidRequest', () => {
  it('carries all violations and has the reason of the first', () => {
    const error = invalidRequest([QUANTITY, SYMBOL])
    expect(error).toMatchObject({ reason: 'QUANTITY_INVALID', violations: [QUANTITY, SYMBOL] })
    expect(error.message).toBe('transactions[3].quantity: must be > 0 (and 1 more)')
    expect(invalidRequest([SYMBOL]).message).toBe('symbol: is no symbol')
  })

  it('needs a violation', () => {
    expect(() => invalidRequest([])).toThrow('needs a violation')
  })
})

describe('PortfolioError', () => {
  it('has no facts unless it is given some', () => {
    const error = new PortfolioError('DRAINING', 'stopping')
    expect(error).toMatchObject({ name: 'PortfolioError', metadata: {}, violations: [] })
    expect(error.retryAfterMs).toBeUndefined()
    expect('cause' in error).toBe(false)
  })

  it('keeps its cause and advice', () => {
    const cause = new Error('inside')
    const error = new PortfolioError('DRAINING', 'stopping', { cause, retryAfterMs: 50 })
    expect(error).toMatchObject({ cause, retryAfterMs: 50 })
  })
})
