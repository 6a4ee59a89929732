import { afterAll, beforeAll } from '@jest/globals'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { CHROMIUM, ensureProgram } from './install-program.ts'

/** Of an installation that nobody began before. */
const INSTALL_MS_MAX = 240_000

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** What a page did beside showing itself. */
export interface Watched {
  readonly page: Page
  /** Warnings and errors of its console, exceptions included. */
  readonly complaints: readonly string[]
  /** URLs asked for, its own among them. */
  readonly requests: readonly string[]
}

/** What a picture looks like. */
export interface Picture {
  /** Of the corner: "20,24,31". */
  readonly ground: string
  /** Pixels of another colour than the corner's, as a fraction. */
  readonly drawn: number
  readonly colours: number
}

/** A real Chromium for all tests of a file, with a profile of its own that is thrown away. */
export function useChromium() {
  let browser: Browser
  beforeAll(async () => {
    const executablePath = await ensureProgram(CHROMIUM)
    browser = await chromium.launch({ executablePath, args: ARGUMENTS })
  }, INSTALL_MS_MAX)
  afterAll(() => browser.close())
  return {
    async open(url: string, options: BrowserContextOptions = {}): Promise<Watched> {
      const context = await browser.newContext(options)
      const page = await context.newPage()
      const complaints: string[] = []
      const requests: string[] = []
      page.on('console', (message) => complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('request', (request) => requests.push(request.url()))
      await page.goto(url)
      return { page, complaints, requests }
    },

    /** Looks at a PNG, which the browser decodes. */
    async look(png: Buffer): Promise<Picture> {
      const page = await browser.newPage()
      try {
        return await page.evaluate<Picture>(`(${LOOK})('${png.toString('base64')}')`)
      } finally {
        await page.close()
      }
    },
  }
}

/** Runs in the browser, whose names the tests' types do not know. */
const LOOK = `async (base64) => {
  const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0))
  const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height)
  const context = canvas.getContext('2d')
  context.drawImage(bitmap, 0, 0)
  const pixels = new Uint32Array(context.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer)
  const colours = new Set(pixels)
  const drawn = pixels.reduce((sum, pixel) => sum + Number(pixel !== pixels[0]), 0) / pixels.length
  const ground = [0, 8, 16].map((shift) => (pixels[0] >>> shift) & 255).join(',')
  return { ground, drawn, colours: colours.size }
}`
