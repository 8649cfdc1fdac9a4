import t from 'tap'
import { dm, landed, noBrowser, open, shown, signIn, startWeb, until, write } from './browser.ts'

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, browser } = await startWeb(t)
  const ada = await signIn(browser, app, 'ada')
  const bob = await signIn(browser, app, 'bob', { width: 390, height: 844, touch: true })

  await t.test('two people find each other and chat', async t => {
    await ada.page.getByLabel('Find someone').fill('bob')
    await ada.page.getByRole('main').getByRole('link', { name: /Bob Test/ }).click()
    await write(ada.page, 'hello Bob')
    await landed(ada.page, 'hello Bob').waitFor()
    await bob.page.getByRole('link', { name: /Ada Test.*hello Bob/ }).click()
    await landed(bob.page, 'hello Bob').waitFor()
    await bob.page.locator('#composer').fill('hello Ada')
    await ada.page.getByText('Bob is typing').waitFor()
    await bob.page.getByRole('button', { name: 'Send' }).click()
    await landed(ada.page, 'hello Ada').waitFor()
    t.same(await shown(ada.page), ['hello Bob', 'hello Ada'])
    t.same(await shown(bob.page), ['hello Bob', 'hello Ada'])
    await ada.page.getByRole('img', { name: 'Read' }).waitFor()
  })

  await t.test('reactions, replies, edits and deletes reach the other user', async t => {
    await open(ada.page, app.url, dm(ada.id, bob.id))
    await landed(ada.page, 'hello Ada').hover()
    await landed(ada.page, 'hello Ada').getByRole('button', { name: 'Reply' }).click()
    await write(ada.page, 'how are you?')
    await landed(bob.page, 'how are you?').locator('.quote').getByText('hello Ada').waitFor()
    await ada.page.locator('#composer').press('ArrowUp')
    t.equal(await ada.page.locator('#composer').inputValue(), 'how are you?')
    await write(ada.page, 'how are you today?')
    await landed(bob.page, 'how are you today?').getByText('edited').waitFor()
    await landed(ada.page, 'hello Ada').hover()
    await landed(ada.page, 'hello Ada').getByRole('button', { name: 'React' }).click()
    await ada.page.getByRole('dialog', { name: 'Emoji' }).getByRole('button', { name: /thumbs up/i }).first().click()
    await landed(bob.page, 'hello Ada').getByRole('button', { name: /^👍\uFE0F? 1/u }).waitFor()
    await landed(ada.page, 'how are you today?').focus()
    await ada.page.keyboard.press('Delete')
    await ada.page.getByRole('dialog').getByText('Delete the message for everyone?').waitFor()
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await bob.page.locator('article').getByText('Message deleted').waitFor()
    await until(ada.page, 'document.activeElement.id === "composer"')
  })

  await t.test('the menu of a message opens where the pointer asked for it, and its buttons hide no text', async t => {
    const { page } = ada
    const theirs = landed(page, 'hello Ada')
    const { x = 0, y = 0 } = await theirs.boundingBox() ?? {}
    await page.mouse.click(x + 90, y + 12, { button: 'right' })
    const menu = await page.getByRole('menu').boundingBox()
    t.equal(Math.round(menu?.x ?? 0), Math.round(x + 90))
    await page.keyboard.press('Escape')
    await write(page, 'mine')
    await landed(page, 'mine').hover()
    const tools = await landed(page, 'mine').getByRole('group', { name: 'Actions' }).boundingBox()
    const bubble = await landed(page, 'mine').locator('.bub').boundingBox()
    t.ok((tools?.x ?? 0) + (tools?.width ?? 0) <= (bubble?.x ?? 0), 'the buttons stand beside the bubble')
  })

  await t.test('a text that is too long is counted below it, and the buttons stay beside it', async t => {
    const { page } = bob
    await page.locator('#composer').fill('z'.repeat(4_001))
    const note = await page.getByText('1 character too many').boundingBox()
    const area = await page.locator('#composer').boundingBox()
    const button = await page.getByRole('button', { name: 'Send' }).boundingBox()
    const bottom = (box: { y: number, height: number } | null) => Math.round((box?.y ?? 0) + (box?.height ?? 0))
    t.equal(bottom(button), bottom(area))
    t.ok((note?.y ?? 0) >= bottom(area) && bottom(note) <= 844, 'all of the note is seen')
    await page.locator('#composer').fill('')
  })

  await t.test('a finger that opens the actions of a message presses none of them when it is lifted', async t => {
    const { page, context } = bob
    const finger = await context.newCDPSession(page)
    const box = await landed(page, 'hello Bob').locator('.text').boundingBox()
    const touchPoints = [{ x: (box?.x ?? 0) + 10, y: (box?.y ?? 0) + 5 }]
    await page.evaluate(`window.clicks = 0
      addEventListener('click', () => window.clicks++, true)
      addEventListener('touchend', () => requestAnimationFrame(() => { window.isLifted = true }), true)`)
    await finger.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints })
    await page.getByRole('dialog', { name: 'Actions' }).waitFor()
    await finger.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
    await until(page, 'window.isLifted')
    t.equal(await page.evaluate('window.clicks'), 0)
    await page.getByRole('dialog', { name: 'Actions' }).getByRole('button', { name: 'Reply' }).tap()
    await page.getByText('Reply to Ada Test').waitFor()
    await page.getByRole('button', { name: 'Cancel the reply' }).tap()
  })

  await t.test('after midnight, what was said today is shown as yesterday\'s', async () => {
    const page = await ada.page.context().newPage()
    await page.clock.install()
    await open(page, app.url, dm(ada.id, bob.id))
    await page.locator('time').getByText('Today', { exact: true }).waitFor()
    await page.clock.fastForward('24:00:00')
    await page.locator('time').getByText('Yesterday', { exact: true }).waitFor()
    await page.close()
  })

  await t.test('a draft stays with its conversation', async t => {
    await ada.page.locator('#composer').fill('not yet')
    // The list tells of it once it is stored: a page that is left sooner may lose the last letters.
    const told = ada.page.getByRole('link', { name: /Bob Test.*Draft:.*not yet/ })
    await told.waitFor()
    await ada.page.goto(`${app.url}/c/common_chat`)
    await ada.page.locator('#composer').waitFor()
    t.equal(await ada.page.locator('#composer').inputValue(), '')
    await told.click()
    await until(ada.page, 'document.getElementById("composer")?.value === "not yet"')
    await ada.page.locator('#composer').fill('')
  })

  await t.test('a message that the server stored before yours stands above it', async t => {
    const cleo = await app.register('cleo')
    await open(ada.page, app.url, dm(ada.id, cleo.id))
    await ada.context.setOffline(true)
    await write(ada.page, 'mine, on its way')
    await ada.page.locator('article.wait').waitFor()
    const sent = await app.call('POST', '/api/messages', {
      token: cleo.token, body: { receiverId: ada.id, content: 'theirs, before it' }
    })
    t.equal(sent.body.message.seq, 1)
    await ada.context.setOffline(false)
    await landed(ada.page, 'mine, on its way').waitFor()
    await landed(ada.page, 'theirs, before it').waitFor()
    t.same(await shown(ada.page), ['theirs, before it', 'mine, on its way'])
  })

  await t.test('nothing went wrong in the pages', t => {
    t.same(ada.problems, [])
    t.same(bob.problems, [])
    t.end()
  })
}
