import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { dm, landed, noBrowser, open, type Person, signIn, startWeb, write } from './browser.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The address of each screen, and what it shows when it is there. */
const screens = [
  ['/', '.list .row'], ['/new', '.hello .box'], ['/rooms', 'dialog .foot'], ['/search?q=hello', '.hit'], ['/settings', '.themes']
] as const

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, browser } = await startWeb(t)
  const other = await app.register('other', { fullName: 'ليلى حداد' })
  const people: Person[] = []
  people.push(await signIn(browser, app, 'ada'), await signIn(browser, app, 'ada-small', { width: 320, height: 640 }))

  for (const { page, username, id } of people) {
    await t.test(`axe finds no serious defect on any screen: ${username}`, async t => {
      await open(page, app.url, dm(id, other.id))
      await write(page, 'hello `code` https://a.example @other')
      await landed(page, 'hello').waitFor()
      await app.call('POST', '/api/messages', { token: other.token, body: { receiverId: id, content: 'مرحبا' } })
      await landed(page, 'مرحبا').waitFor()
      await check(t, page, 'a conversation')
      await page.getByRole('button', { name: 'Emoji' }).click()
      await page.getByRole('searchbox', { name: 'Find an emoji' }).waitFor()
      await page.getByRole('button', { name: 'grinning face' }).first().waitFor()
      await check(t, page, 'the emoji picker')
      await page.keyboard.press('Escape')
      for (const [path, ready] of screens) {
        await page.goto(app.url + path)
        await page.locator(ready).first().waitFor()
        await check(t, page, path)
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
        t.ok(Number(overflow) <= 0, `${path} is not wider than the window`)
      }
    })
  }

  await t.test('axe finds no serious defect on the sign-in screen', async t => {
    const page = await browser.newPage({ viewport: { width: 320, height: 640 } })
    for (const path of ['/sign-in', '/sign-up']) {
      await page.goto(app.url + path)
      await page.locator('form').waitFor()
      await check(t, page, path)
    }
  })
}

/** All rules in the light theme; in the dark one the two of colours, which are all that it changes. */
async function check (t: Test, page: Page, screen: string): Promise<void> {
  await page.emulateMedia({ colorScheme: 'light' })
  await page.evaluate(`${axe};0`)
  t.same(await serious(page, {}), [], screen)
  await page.emulateMedia({ colorScheme: 'dark' })
  t.same(await serious(page, { runOnly: ['color-contrast', 'link-in-text-block'] }), [], `${screen}, dark`)
}

async function serious (page: Page, options: { runOnly?: string[] }): Promise<string[]> {
  // Colours that are on their way to where they belong are no finding.
  const ends = 'document.getAnimations().filter(one => one.effect.getTiming().iterations !== Infinity).map(one => one.finished)'
  await page.evaluate(`Promise.all(${ends}).then(() => 0, () => 0)`)
  const given = JSON.stringify({ resultTypes: ['violations'], ...options })
  return await page.evaluate<string[]>(`axe.run(${given}).then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => id + ': ' + nodes.map(node => node.target.join(' ')).join(' | ').slice(0, 600)))`)
}
