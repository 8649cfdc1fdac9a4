import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { buildWeb, dm, landed, noBrowser, open, shown, signIn, startBrowser, until, write } from './browser.ts'

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  buildWeb()
  const app = await startApp(t)
  const browser = await startBrowser(t)
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
    await bob.page.locator('article').getByText('Message deleted').waitFor()
    t.equal(await ada.page.evaluate('document.activeElement.id === "composer"'), true, 'focus is in the composer after a delete')
  })

  await t.test('at midnight what was said today is from yesterday', async () => {
    const page = await ada.page.context().newPage()
    await page.clock.install()
    await open(page, app.url, dm(ada.id, bob.id))
    await page.locator('time').getByText('Today', { exact: true }).waitFor()
    await page.clock.fastForward('24:00:00')
    await page.locator('time').getByText('Yesterday', { exact: true }).waitFor()
    await page.close()
  })

  await t.test('a text that you began stays with its conversation', async t => {
    await ada.page.locator('#composer').fill('not yet')
    await ada.page.goto(`${app.url}/c/common_chat`)
    await ada.page.locator('#composer').waitFor()
    t.equal(await ada.page.locator('#composer').inputValue(), '')
    await ada.page.getByRole('link', { name: /Bob Test.*Draft:.*not yet/ }).click()
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
