import { expect, it } from '@jest/globals'
import { isFigi, isIsin } from '../../../../src/domain/market-data/identifiers.ts'

it.each(['US0378331005', 'GB0002634946', 'DE000BAY0017', 'AU0000XVGZA3', 'CH0012221716'])(
  'knows the ISIN %s by its check digit',
  (isin) => {
    expect(isIsin(isin)).toBe(true)
    const last = Number(isin.at(-1))
    expect(isIsin(`${isin.slice(0, -1)}${(last + 1) % 10}`)).toBe(false)
  },
)

it('tells swapped characters of an ISIN', () => {
  expect(isIsin('US0378331050')).toBe(false)
  expect(isIsin('US0373831005')).toBe(false)
  expect(isIsin('us0378331005')).toBe(false)
  expect(isIsin('US037833100')).toBe(false)
})

it.each(['BBG000BLNNH6', 'BBG000B9XRY4', 'BBG000BVPV84'])(
  'knows the FIGI %s by its check digit',
  (figi) => {
    expect(isFigi(figi)).toBe(true)
    const last = Number(figi.at(-1))
    expect(isFigi(`${figi.slice(0, -1)}${(last + 1) % 10}`)).toBe(false)
  },
)

it('takes no FIGI with a vowel, a country in front or another third letter', () => {
  expect(isFigi('BBA000BLNNH6')).toBe(false)
  expect(isFigi('BBG000BLNAH6')).toBe(false)
  expect(isFigi('GBG000BLNNH6')).toBe(false)
})
