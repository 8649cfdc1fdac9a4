import t from 'tap'
import { landed, noBrowser, open, shown, signIn, startWeb, until } from './browser.ts'

/** How people write in three languages: what the input method shows on the way, and what they take. */
const ways = [
  ['Japanese', ['に', 'にほ', 'にほん', '日本'], '日本語です'],
  ['Chinese', ['n', 'ni', 'nih', 'niha', 'nihao'], '你好'],
  ['Korean', ['ㅎ', '하', '한'], '한국']
] as const

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, browser } = await startWeb(t)
  const { page, context, problems } = await signIn(browser, app, 'ada')
  await open(page, app.url, 'common_chat')
  const keyboard = await context.newCDPSession(page)

  for (const [language, steps, taken] of ways) {
    await t.test(`${language}: Enter and arrows belong to the input method until it is done`, async t => {
      const before = await shown(page)
      await page.locator('#composer').click()
      await page.evaluate(`window.seen = []
        for (const name of ['compositionstart', 'compositionend']) {
          document.getElementById('composer').addEventListener(name, () => window.seen.push(name), { once: true })
        }`)
      for (const text of steps) {
        await keyboard.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length })
      }
      for (const key of ['ArrowUp', 'ArrowDown', 'Enter', 'Escape']) {
        const event = { key, isComposing: true, bubbles: true, cancelable: true }
        await page.locator('#composer').dispatchEvent('keydown', event)
      }
      t.equal(await page.locator('#composer').inputValue(), steps.at(-1))
      t.same(await shown(page), before, 'nothing was sent')
      await keyboard.send('Input.insertText', { text: taken })
      t.same(await page.evaluate('window.seen'), ['compositionstart', 'compositionend'])
      await page.locator('#composer').press('Enter')
      await landed(page, taken).waitFor()
      t.same(await shown(page), [...before, taken])
      await until(page, 'document.getElementById("composer").value === ""')
    })
  }

  await t.test('nothing went wrong in the page', t => {
    t.same(problems, [])
    t.end()
  })
}
