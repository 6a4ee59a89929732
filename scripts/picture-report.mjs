/// <reference types="node" />

// The picture in README.md: node scripts/picture-report.mjs REPORT.html PICTURE.png, with Debian's chromium.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'

const [, , report = '', picture = ''] = process.argv
const WIDTH = 1_120
/** Its last section in the picture: with the tables below it would be too long to look at. */
const LAST_SECTION = 'section[aria-labelledby=months]'
const MARGIN = 40

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
})
const page = await browser.newPage({ viewport: { width: WIDTH, height: 900 } })
await page.goto(pathToFileURL(resolve(report)).href)
const last = await page.locator(LAST_SECTION).boundingBox()
const height = Math.ceil((last?.y ?? 0) + (last?.height ?? 0)) + MARGIN
const clip = { x: 0, y: 0, width: WIDTH, height }
await page.screenshot({ path: picture, fullPage: true, clip })
await browser.close()
