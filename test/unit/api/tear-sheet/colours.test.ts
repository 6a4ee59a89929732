import { describe, expect, it } from '@jest/globals'
import { COLOURS } from '../../../../src/api/tear-sheet/colours.ts'

const [light = '', dark = ''] = COLOURS.toString().split('@media')
const coloursOf = (text: string) =>
  new Map(
    [...text.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, colour]) => [name!, colour!]),
  )
const schemes = { light: coloursOf(light), dark: coloursOf(dark) }

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].toSorted((left, right) => left - right)
  return (high! + 0.05) / (low! + 0.05)
}

const heat = ['up-1', 'up-2', 'up-3', 'down-1', 'down-2', 'down-3']
const TEXTS: readonly [text: string, ground: string][] = [
  ['ink', 'page'],
  ['ink', 'ground'],
  ['soft', 'page'],
  ['good', 'page'],
  ['warn', 'page'],
  ['strong', 'up-4'],
  ['strong', 'down-4'],
  ...heat.map((ground): [string, string] => ['ink', ground]),
]
const LINES = ['own', 'index', 'paid', 'loss', 'zero']

describe.each(['light', 'dark'] as const)('the %s scheme', (name) => {
  const colours = schemes[name]

  it('has every colour of the other', () => {
    expect([...colours.keys()]).toEqual([...schemes.light.keys()])
    expect(colours.size).toBeGreaterThan(20)
  })

  it.each(TEXTS)('has %s readable on %s', (text, ground) => {
    expect(contrast(colours.get(text)!, colours.get(ground)!)).toBeGreaterThanOrEqual(4.5)
  })

  it.each(LINES)('has the line %s visible, on its area too', (line) => {
    const grounds = { own: 'wash', paid: 'wash', loss: 'loss-wash', index: 'loss-wash' }
    const area = line === 'zero' ? 'page' : grounds[line as keyof typeof grounds]
    for (const ground of ['page', area]) {
      expect(contrast(colours.get(line)!, colours.get(ground)!)).toBeGreaterThanOrEqual(3)
    }
  })
})
