import { beforeAll, describe, expect, it } from '@jest/globals'
import { atClose, ingestCloses } from '../support/analytics.ts'
import { useChromium, type Watched } from '../support/chromium.ts'
import { useService } from '../support/service.ts'

const fixture = useService()
const browser = useChromium()
const USER = `<script>alert("1")</script>&'`
const LONG = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'

const LIGHT = '255,255,255'
const DARK = '20,24,31'

const url = (user: string, more = ''): string => {
  return `http://127.0.0.1:${fixture.service.ports.http}/report?user_id=${encodeURIComponent(user)}${more}`
}
const full = (): string => url(USER, '&benchmark=%5EIDX&end_date=2024-06-30')

interface Shape {
  readonly pageWidth: number
  readonly windowWidth: number
  readonly charts: readonly { width: number; height: number; marks: readonly number[] }[]
  readonly outside: readonly string[]
  readonly overlapping: readonly string[]
  readonly texts: number
  readonly scripts: number
  readonly heading: string
}

/** Where everything stands. Runs in the browser, whose names the tests' types do not know. */
const MEASURE = `() => {
  const texts = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (node.data.trim() === '' || node.parentElement.closest('title, desc, style')) continue
    const range = document.createRange()
    range.selectNodeContents(node)
    const limit = node.parentElement.closest('.scroll')?.getBoundingClientRect().right ?? Infinity
    for (const { left, right, top, bottom } of range.getClientRects()) {
      if (left >= limit || right - left < 1) continue
      texts.push({ node, text: node.data.trim(), left, right: Math.min(right, limit), top, bottom })
    }
  }
  const overlap = (a, b) =>
    a.node !== b.node &&
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1
  const charts = [...document.querySelectorAll('svg[role=img]')].map((svg) => {
    const { width, height } = svg.getBoundingClientRect()
    const marks = [...svg.querySelectorAll('path, rect')].map((mark) => {
      const box = mark.getBoundingClientRect()
      return Math.max(box.width, box.height)
    })
    return { width, height, marks }
  })
  return {
    pageWidth: document.documentElement.scrollWidth,
    windowWidth: document.documentElement.clientWidth,
    charts,
    outside: texts.filter(({ left, right }) => left < 0 || right > innerWidth + 0.5).map(({ text }) => text),
    overlapping: texts.flatMap((a, at) =>
      texts.slice(at + 1).filter((b) => overlap(a, b)).map((b) => a.text + ' / ' + b.text),
    ),
    texts: texts.length,
    scripts: document.scripts.length,
    heading: document.querySelector('h1').textContent,
  }
}`

beforeAll(async () => {
  const days = Array.from({ length: 910 }, (_, at) => new Date(Date.UTC(2022, 0, 3 + at)))
  const closes = (phase: number) =>
    Object.fromEntries(
      days.map((day, at) => [
        day.toISOString().slice(0, 10),
        (100 + at / 20 + 12 * Math.sin(at / 25 + phase)).toFixed(4),
      ]),
    )
  await ingestCloses(fixture.client, 'AAA', closes(0))
  await ingestCloses(fixture.client, LONG, closes(2))
  await ingestCloses(fixture.client, '^IDX', closes(1))
  const bought = { quantity: 1_000, price: 101 }
  await fixture.client.update({
    userId: USER,
    transactions: [
      { ...bought, symbol: 'AAA', timestamp: atClose('2022-01-05') },
      { ...bought, symbol: LONG, timestamp: atClose('2022-06-01') },
      { ...bought, symbol: 'AAA', quantity: 800, type: 1, timestamp: atClose('2023-03-01') },
    ],
  })
  await fixture.client.update({
    userId: 'new',
    transactions: [{ symbol: 'NEW', quantity: 1e7, price: 1e8 }],
  })
}, 60_000)

async function expectSound({ page, complaints, requests }: Watched): Promise<Shape> {
  const shape = await page.evaluate<Shape>(`(${MEASURE})()`)
  expect(complaints).toEqual([])
  expect(requests.filter((request) => !request.startsWith('data:'))).toEqual([page.url()])
  expect(shape.scripts).toBe(0)
  expect(shape.pageWidth).toBeLessThanOrEqual(shape.windowWidth)
  expect(shape.outside).toEqual([])
  expect(shape.overlapping).toEqual([])
  return shape
}

function expectDrawn({ charts, windowWidth }: Shape): void {
  expect(charts).toHaveLength(4)
  for (const { width, height, marks } of charts) {
    expect(width).toBeGreaterThan(Math.min(windowWidth, 1_040) * 0.7)
    expect(height).toBeGreaterThan(90)
    expect(marks.length).toBeGreaterThan(0)
    for (const size of marks) expect(size).toBeGreaterThan(0)
  }
}

describe('the report in a browser', () => {
  it.each([
    ['light', 1_280, LIGHT],
    ['light', 400, LIGHT],
    ['dark', 1_280, DARK],
    ['dark', 400, DARK],
  ] as const)('shows itself whole and alone, %s, %i pixels wide', async (scheme, width, ground) => {
    const viewport = { width, height: 900 }
    const watched = await browser.open(full(), { viewport, colorScheme: scheme })
    const shape = await expectSound(watched)
    expectDrawn(shape)
    expect(shape.heading).toBe(USER)
    expect(shape.texts).toBeGreaterThan(150)
    const picture = await browser.look(await watched.page.screenshot({ fullPage: true }))
    expect(picture.ground).toBe(ground)
    expect(picture.drawn).toBeGreaterThan(0.03)
    expect(picture.drawn).toBeLessThan(0.5)
    expect(picture.colours).toBeGreaterThan(50)
    await watched.page.context().close()
  })

  it('is printed on white, whatever the screen', async () => {
    const paper = { width: 690, height: 990 }
    const watched = await browser.open(full(), { viewport: paper, colorScheme: 'dark' })
    const { page } = watched
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    const shape = await expectSound(watched)
    expectDrawn(shape)
    const picture = await browser.look(await page.screenshot({ fullPage: true }))
    expect(picture.ground).toBe(LIGHT)
    expect(picture.drawn).toBeGreaterThan(0.03)
    const pages = (await page.pdf({ format: 'A4' })).toString('latin1')
    expect(pages.match(/\/Type \/Page\b/g)?.length).toBeLessThanOrEqual(6)
    await page.context().close()
  })

  it.each([1_280, 400])('of one day of large amounts fits too, %i pixels wide', async (width) => {
    const watched = await browser.open(url('new'), { viewport: { width, height: 900 } })
    const shape = await expectSound(watched)
    expect(shape.charts).toHaveLength(4)
    await watched.page.context().close()
  })
})
