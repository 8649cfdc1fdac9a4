import t from 'tap'
import { freePort } from '../helpers/free-port.ts'
import { startServer } from '../helpers/process.ts'
import { buildWeb, dm, landed, noBrowser, open, shown, signIn, startBrowser, until, write } from './browser.ts'
import { register } from '../helpers/register.ts'

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  buildWeb()
  const port = await freePort()
  const environment = { DATA_DIR: t.testdir(), PORT: String(port), HOST: '127.0.0.1' }
  let server = await startServer(environment)
  t.teardown(() => server.end('SIGTERM'))
  const app = { url: server.url, register: register.bind(undefined, server.url) }
  const browser = await startBrowser(t)
  const ada = await signIn(browser, app, 'ada')
  const bob = await signIn(browser, app, 'bob')
  const conversationId = dm(ada.id, bob.id)
  await open(ada.page, app.url, conversationId)
  await write(ada.page, 'before')
  await landed(ada.page, 'before').waitFor()
  await bob.page.getByRole('link', { name: /Ada Test/ }).click()
  await landed(bob.page, 'before').waitFor()
  // A page registers it once, and not while the server is dead.
  await until(ada.page, 'navigator.serviceWorker.ready.then(() => true)')

  /** Starts the server. The pages try again at once, as when a network is back: else they may wait for ten seconds. */
  const startAgain = async () => {
    server = await startServer(environment)
    for (const { page } of [ada, bob]) await page.evaluate('dispatchEvent(new Event("online"))')
  }

  await t.test('messages written while the server is dead arrive once and in order when it is back', async t => {
    await server.end('SIGKILL')
    for (const text of ['one', 'two', 'three']) await write(ada.page, text)
    await ada.page.locator('article.wait').nth(2).waitFor()
    await ada.page.getByText('Waiting for a connection').waitFor()
    await ada.page.getByText('Offline, 3 waiting').waitFor()
    await ada.page.evaluate(`window.told = new Set()
      new MutationObserver(() => window.told.add(document.querySelector('.tide [role=status]').innerText))
        .observe(document.querySelector('.tide'), { subtree: true, childList: true, characterData: true })`)
    // By a socket it comes no further than connecting; a sync is what looks like a beginning.
    const tried = ada.page.waitForEvent('requestfailed', request => request.url().endsWith('/api/sync'))
    await ada.page.getByRole('button', { name: 'Try now' }).click()
    await tried
    t.notOk(await ada.page.evaluate('window.told.has("Up to date")'), 'a try that fails is not taken for a connection')
    await startAgain()
    await landed(bob.page, 'three').waitFor()
    await landed(ada.page, 'three').waitFor()
    t.same(await shown(bob.page), ['before', 'one', 'two', 'three'])
    t.same(await shown(ada.page), ['before', 'one', 'two', 'three'])
  })

  await t.test('the app opens without a connection, shows what was read, and sends later what you write', async t => {
    await ada.page.reload()
    await landed(ada.page, 'three').waitFor()
    await server.end('SIGKILL')
    await ada.page.reload()
    await landed(ada.page, 'three').waitFor()
    await write(ada.page, 'from the void')
    await ada.page.locator('article.wait').filter({ hasText: 'from the void' }).waitFor()
    await ada.page.reload()
    await ada.page.locator('article.wait').filter({ hasText: 'from the void' }).waitFor()
    await startAgain()
    await landed(bob.page, 'from the void').waitFor()
    t.same(await shown(bob.page), ['before', 'one', 'two', 'three', 'from the void'])
  })

  await t.test('two tabs of one user show the same', async t => {
    await landed(ada.page, 'from the void').waitFor()
    const other = await ada.context.newPage()
    await open(other, app.url, conversationId)
    await landed(other, 'three').waitFor()
    await write(other, 'from the other tab')
    await landed(ada.page, 'from the other tab').waitFor()
    await write(ada.page, 'and back')
    await landed(other, 'and back').waitFor()
    t.same(await shown(other), await shown(ada.page))
    await ada.page.close()
    await write(other, 'alone again')
    await landed(bob.page, 'alone again').waitFor()
    t.equal((await shown(bob.page)).filter(text => text === 'alone again').length, 1)
  })

  await t.test('an edit and a delete while the other user is away show at once, and to the other on return', async t => {
    const page = await ada.context.newPage()
    await open(page, app.url, conversationId)
    for (const text of ['to be deleted', 'to be edited']) await write(page, text)
    await landed(bob.page, 'to be edited').waitFor()
    await bob.context.setOffline(true)
    await landed(page, 'to be edited').waitFor()
    await page.locator('#composer').press('ArrowUp')
    await write(page, 'was edited')
    await landed(page, 'was edited').getByText('edited').first().waitFor()
    await landed(page, 'to be deleted').focus()
    await page.keyboard.press('Delete')
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.locator('article').getByText('Message deleted').waitFor()
    await bob.context.setOffline(false)
    await bob.page.locator('article').getByText('Message deleted').waitFor()
    await landed(bob.page, 'was edited').waitFor()
    t.notOk((await shown(bob.page)).includes('to be deleted'))
  })

  await t.test('two devices of one user show the same, also what was written while one was away', async t => {
    const device = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: 'en-GB' })
    const phone = await device.newPage()
    await phone.goto(`${app.url}/sign-in`)
    await phone.getByLabel('Username').fill('bob')
    await phone.getByLabel('Password', { exact: true }).fill('password-1')
    await phone.getByRole('button', { name: 'Sign in', exact: true }).click()
    await phone.getByRole('navigation').waitFor()
    await open(phone, app.url, conversationId)
    await landed(phone, 'was edited').waitFor()
    await device.setOffline(true)
    await write(phone, 'from the train')
    await phone.locator('article.wait').waitFor()
    await write(bob.page, 'from the desk')
    await landed(bob.page, 'from the desk').waitFor()
    await device.setOffline(false)
    await landed(bob.page, 'from the train').waitFor()
    await landed(phone, 'from the train').waitFor()
    await landed(phone, 'from the desk').waitFor()
    t.same((await shown(phone)).slice(-2), ['from the desk', 'from the train'])
    t.same((await shown(bob.page)).slice(-2), ['from the desk', 'from the train'])
    await device.close()
  })

  await t.test('nothing went wrong in the pages', t => {
    t.same(ada.problems, [])
    t.same(bob.problems, [])
    t.end()
  })
}
