// Takes pictures of the main screens in a real browser, in both themes and three widths, of a server with the demo's
// community; those that the README shows go to docs/pictures. `npm run pictures [-- <folder>]`.
import { chromium, type Page } from 'playwright-core'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { password } from './demo/api.ts'
import { startOwnServer } from './demo/own-server.ts'

const folder = process.argv[2] ?? 'out/pictures'
/** Those that the README shows. */
const shown = ['chat-desktop-light', 'chat-phone-dark']
const widths = [['desktop', 1_280, 800], ['tablet', 900, 1_000], ['phone', 390, 844]] as const

execFileSync(process.execPath, ['scripts/build-web.mjs'], { stdio: 'inherit' })
const data = mkdtempSync(join(tmpdir(), 'tidelog-pictures-'))
const server = await startOwnServer({ DATA_DIR: data, HOST: '127.0.0.1', PORT: '0' }, () => {})
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu']
})
try {
  mkdirSync(folder, { recursive: true })
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [name, width, height] of widths) await takeAll(colorScheme, name, width, height)
  }
  mkdirSync('docs/pictures', { recursive: true })
  for (const name of shown) copyFileSync(join(folder, `${name}.png`), join('docs/pictures', `${name}.png`))
} finally {
  await browser.close()
  await server.app.close()
  rmSync(data, { recursive: true })
}

async function takeAll (colorScheme: 'light' | 'dark', name: string, width: number, height: number): Promise<void> {
  const isPhone = name === 'phone'
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    locale: 'en-GB',
    hasTouch: isPhone,
    isMobile: isPhone,
    reducedMotion: 'reduce'
  })
  const page = await context.newPage()
  await page.goto(`${server.url}/sign-in`)
  await take(page, 'sign-in')
  await page.goto('about:blank')
  await page.goto(`${server.url}/sign-in#username=mara&password=${password}`)
  await page.locator('form .btn.main').click()
  await page.locator('.list .row').nth(5).waitFor()
  if (isPhone) await take(page, 'list')
  await page.getByRole('link', { name: /Estuary survey/ }).first().click()
  await page.locator('article').nth(3).waitFor()
  await page.getByRole('log').press('End')
  await page.evaluate('document.activeElement.blur()')
  await page.mouse.move(width - 1, 1) // Away from the row that was pressed.
  await take(page, 'chat')
  await page.getByRole('button', { name: 'Members' }).click()
  await page.locator('.side .item').nth(3).waitFor()
  await take(page, 'members')
  for (const [path, ready] of [
    ['rooms', 'dialog .item'], ['search?q=tide', '.hit'], ['settings', '.themes'], ['new', '.hello .item']
  ] as const) {
    await page.goto(`${server.url}/${path}`)
    await page.locator(ready).nth(0).waitFor()
    await take(page, path.split('?')[0] ?? path)
  }
  await context.close()

  async function take (page: Page, screen: string): Promise<void> {
    await page.evaluate('document.fonts.ready.then(() => new Promise(resolve => setTimeout(resolve, 400)))')
    await page.screenshot({ path: join(folder, `${screen}-${name}-${colorScheme}.png`) })
  }
}
