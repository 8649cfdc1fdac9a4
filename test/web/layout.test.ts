import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { root } from '../helpers/process.ts'
import { dm, landed, noBrowser, open, signIn, startWeb, write } from './browser.ts'

/**
 * How the main screens look, in both themes and three widths. Pictures of two machines differ in every letter, because
 * their fonts do; so the places and sizes of the parts are compared, and their colours. A part may differ by what a
 * font's widths make. `UPDATE_LAYOUT=1` writes what is seen now; look at `npm run pictures` before you do that.
 */
const file = join(root, 'test/web/layout.json')
const isUpdate = process.env['UPDATE_LAYOUT'] === '1'
const kept = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Layout>
const seen: Record<string, Layout> = {}

/** Pixels by which a part may be elsewhere or larger. */
const tolerancePx = 12

const widths = [['desktop', 1_280, 800], ['tablet', 900, 1_000], ['phone', 390, 844]] as const
const parts = [
  '.list', '.main', '.side', '.list > .bar', '.main > .bar', '.tide', '.rows .row', '.log-scroll', '.composer',
  '.own .bub', '.theirs', '.dialog', '.dialog .foot', '.find', '.themes', '.set > div', '.box', '.hit', '.door form',
  '.deep', '.btn.main'
]

/** What holds texts that people read. */
const withText = [
  'button', 'a', 'h1', 'h2', 'h3', 'label', 'b', 'small', 'p', 'th', '.bar', '.item', '.foot', '.tag', '.fault'
]

/** The address of each page, and what it shows when it is there. */
const pages = [
  ['', '.row'], ['new', '.hello .box'], ['rooms', 'dialog .item'], ['search?q=hello', '.hit'], ['settings', '.themes']
] as const

type Box = [x: number, y: number, width: number, height: number]
type Layout = Record<string, { box: Box, ground: string, ink: string }>

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, browser } = await startWeb(t)
  const other = await app.register('other', { fullName: 'Other Person' })
  const { body } = await app.call('POST', '/api/rooms', { token: other.token, body: { name: 'Harbour' } })

  for (const [width, w, h] of widths) {
    await t.test(`${width}, light and dark`, async t => {
      const check = async (page: Page, screen: string) => {
        // The theme is a matter of the style sheet: the page that is open shows the other one as a new page does.
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme })
          compare(t, `${screen} ${width} ${colorScheme}`, await layoutOf(page))
        }
      }
      const { page, id, context } = await signIn(browser, app, `ada-${width}`, { width: w, height: h })
      await app.call('PUT', `/api/rooms/${body.room.roomId}/members/${id}`, { token: other.token, body: {} })
      await open(page, app.url, dm(id, other.id))
      await write(page, 'hello there')
      await landed(page, 'hello there').waitFor()
      await app.call('POST', '/api/messages', { token: other.token, body: { receiverId: id, content: 'and hello' } })
      await landed(page, 'and hello').waitFor()
      await check(page, 'conversation')
      await page.goto(`${app.url}/c/${body.room.conversationId}?p=members`)
      await page.locator('.side .item').nth(1).waitFor()
      await check(page, 'members')
      for (const [path, ready] of pages) {
        await page.goto(`${app.url}/${path}`)
        await page.locator(ready).first().waitFor()
        // The rooms that it suggests come from the server.
        const suggestions = page.locator('.hello .box')
        if (await suggestions.count() > 0) await suggestions.getByText('Harbour').waitFor()
        await check(page, path === '' ? 'home' : path.replace(/\?.*/, ''))
      }
      const outside = await browser.newContext({ viewport: { width: w, height: h }, locale: 'en-GB' })
      const door = await outside.newPage()
      await door.goto(`${app.url}/sign-in`)
      await door.locator('form').waitFor()
      await check(door, 'sign-in')
      await outside.close()
      await context.close()
    })
  }

  for (const [locale, ...among] of [['de-DE', 320, 840, 1_280], ['en-GB', 320]] as const) {
    await t.test(`no text of ${locale} runs out of its place at ${among.join(', ')} px`, async t => {
      const context = await browser.newContext({ viewport: { width: 1_280, height: 800 }, locale })
      const page = await context.newPage()
      const check = async (name: string, ready: string) => {
        for (const width of among) {
          await page.setViewportSize({ width, height: 800 })
          // The page hears of its new width in one frame, and has drawn itself in the next.
          await page.evaluate('new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))')
          await page.locator(ready).first().waitFor({ state: 'attached' })
          t.same(await overflowing(page), [], `${name} at ${width} px`)
        }
      }
      for (const path of ['sign-up', 'sign-in']) {
        await page.goto(`${app.url}/${path}`)
        await check(path, 'form')
      }
      await page.locator('input').nth(0).fill('ada-phone')
      await page.locator('input').nth(1).fill('password-1')
      await page.locator('.btn.main').click()
      await page.getByRole('navigation').waitFor()
      for (const [path, ready] of [
        [`c/${body.room.conversationId}?p=members`, '.side .item'],
        [`c/${body.room.conversationId}`, '#composer'],
        ...pages
      ] as const) {
        await page.goto(`${app.url}/${path}`)
        await check(path, ready)
      }
      await page.keyboard.press('Control+Shift+f')
      await check('the fault drawer', '.faults')
      await context.close()
    })
  }

  if (isUpdate) writeFileSync(file, `${JSON.stringify(seen, null, 1).replace(/\n {3,}/g, ' ')}\n`)
}

function compare (t: Test, name: string, layout: Layout): void {
  seen[name] = layout
  if (isUpdate) {
    t.pass(name)
    return
  }
  const before = kept[name] ?? {}
  t.same(Object.keys(layout), Object.keys(before), `${name}: the parts`)
  for (const [part, { box, ground, ink }] of Object.entries(layout)) {
    const was = before[part]
    if (was === undefined) continue
    const off = box.map((value, at) => Math.abs(value - (was.box[at] ?? 0)))
    // How wide a text is, is a matter of the font.
    const isText = part === '.own .bub' || part === '.btn.main'
    const isOff = (isText ? off.slice(3) : off).some(px => px > tolerancePx)
    t.notOk(isOff, `${name}: ${part} is at ${box.join()}, was at ${was.box.join()}`)
    t.same([ground, ink], [was.ground, was.ink], `${name}: colours of ${part}`)
  }
}

/** Where the first of each part is, if it is seen at all. */
async function layoutOf (page: Page): Promise<Layout> {
  const ends = 'document.getAnimations().filter(one => one.effect.getTiming().iterations !== Infinity)'
  await page.evaluate(`document.activeElement.blur()
    Promise.all(${ends}.map(one => one.finished)).then(() => 0, () => 0)`)
  return await page.evaluate<Layout>(`Object.fromEntries(${JSON.stringify(parts)}.flatMap(part => {
    const element = document.querySelector(part)
    if (element === null || !element.checkVisibility()) return []
    const { x, y, width, height } = element.getBoundingClientRect()
    const { backgroundColor, color } = getComputedStyle(element)
    return [[part, { box: [x, y, width, height].map(Math.round), ground: backgroundColor, ink: color }]]
  }))`)
}

/** Texts that reach out of their place, and are neither cut with an ellipsis nor scrolled. */
async function overflowing (page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(`[...document.querySelectorAll('${withText.join()}')]
    .filter(element => element.checkVisibility() && !element.closest('.cut, .vh, .skip, .log-scroll, svg'))
    .filter(element => element.textContent.trim() !== '' && element.querySelector('.cut') === null)
    .filter(element => {
      const range = document.createRange()
      range.selectNodeContents(element)
      const text = range.getBoundingClientRect()
      const place = element.getBoundingClientRect()
      return text.right > place.right + 1 || text.left < place.left - 1
    })
    .map(element => element.className + ': ' + element.textContent.slice(0, 60))
    .concat(document.documentElement.scrollWidth > innerWidth ? ['the page is wider than the window'] : [])`)
}
