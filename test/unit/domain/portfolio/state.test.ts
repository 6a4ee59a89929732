import { describe, expect, it } from '@jest/globals'
import { etagOf, newPortfolio, parseEtag } from '../../../../src/domain/portfolio/state.ts'
import { buy, Scenario } from './scenario.ts'

describe('etagOf', () => {
  it('names version and chain', () => {
    expect(etagOf(newPortfolio('user-1'))).toBe('0-0000000000000000')
    const chainHead = Uint8Array.from({ length: 32 }, (_, index) => 0xa0 + index)
    expect(etagOf({ version: 42, chainHead })).toBe('42-a0a1a2a3a4a5a6a7')
  })

  it('tells portfolios of one version and different pasts apart', () => {
    const [left, right] = ['10', '11'].map((price) => {
      const scenario = new Scenario()
      scenario.record(buy('1', price, 1))
      return etagOf(scenario.state)
    })
    expect(left).not.toBe(right)
    expect(left).toMatch(/^1-/)
  })
})

describe('parseEtag', () => {
  const etag = '42-a0a1a2a3a4a5a6a7'

  it.each([etag, `"${etag}"`, `${etag}.01234567`, `"${etag}.89abcdef"`])('reads %s', (text) => {
    expect(parseEtag(text)).toEqual({ etag, version: 42 })
  })

  it.each([
    '',
    '*',
    '42',
    '-a0a1a2a3a4a5a6a7',
    `W/"${etag}"`,
    `${etag}0`,
    `${etag}.0123456`,
    `${etag}\n`,
    '42-A0A1A2A3A4A5A6A7',
    '1234567890123456-a0a1a2a3a4a5a6a7',
  ])('refuses %j', (text) => {
    expect(parseEtag(text)).toBeUndefined()
  })

  it('reads back what etagOf writes', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10', 1))
    const written = etagOf(scenario.state)
    expect(parseEtag(written)).toEqual({ etag: written, version: 1 })
  })
})
