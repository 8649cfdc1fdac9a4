import type { Page } from 'playwright-core'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { noWholeBrowser, wholeBrowser } from '../helpers/chromium.ts'
import { buildWeb, dm, landed, open, type Person, shown, signIn, startBrowser, until, write } from './browser.ts'
import { startPrefixProxy } from './prefix-proxy.ts'

if (noWholeBrowser !== undefined) t.plan(0, noWholeBrowser)
else {
  buildWeb()
  const app = await startApp(t, { BASE_PATH: '/some/chat' })
  const proxy = await startPrefixProxy(t, app.url, '/some/chat')
  const url = proxy.url.slice(0, -1)
  const browser = await startBrowser(t, wholeBrowser)
  const there = { url, register: app.register }
  const ada = await signIn(browser, there, 'ada')
  const bob = await signIn(browser, there, 'bob')
  const conversationId = dm(ada.id, bob.id)
  /** What the browser shows as notifications. */
  const told = 'navigator.serviceWorker.getRegistration().then(one => one.getNotifications())'

  await t.test('pages, links, live changes and the service worker work behind a proxy, under a path', async t => {
    await open(ada.page, url, conversationId)
    await open(bob.page, url, conversationId)
    await write(ada.page, 'hello')
    await landed(bob.page, 'hello').waitFor()
    await write(bob.page, `${url}/c/${conversationId}?m=1`)
    await landed(ada.page, '?m=1').locator('a').click()
    await ada.page.waitForURL(`${url}/c/${conversationId}?m=1`)
    t.equal(await ada.page.evaluate('navigator.serviceWorker.ready.then(({ scope }) => scope)'), `${url}/`)
    const links = await ada.page.evaluate<string[]>('[...document.querySelectorAll("a[href]")].map(({ href }) => href)')
    t.same(links.filter(link => !link.startsWith(`${url}/`)), [])
    t.ok(links.length > 2)
    const { text } = await get(ada.page, 'manifest.webmanifest')
    t.match(JSON.parse(text), { start_url: '.', scope: '.' })
  })

  await t.test('a newer version asks before it takes over, and keeps what you began', async t => {
    const { page } = ada
    await page.reload()
    await until(page, 'navigator.serviceWorker.controller !== null')
    await open(page, url, conversationId)
    await page.locator('#composer').fill('begun')
    await newVersion(page, 1)
    await page.getByText('A new version is ready').waitFor()
    await page.getByRole('button', { name: 'Later' }).click()
    await page.evaluate('window.stayed = true')
    await newVersion(page, 2)
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Reload' }).click()])
    await until(page, 'window.stayed === undefined && document.getElementById("composer")?.value === "begun"')
    t.equal(await page.getByText('A new version is ready').count(), 0)
    await page.locator('#composer').fill('')
  })

  await t.test('a message is notified if the page is in the background and notifications are on', async t => {
    await bob.context.grantPermissions(['notifications'])
    await bob.page.goto(`${url}/settings`)
    await bob.page.getByRole('switch', { name: 'Direct messages and mentions' }).click()
    await open(bob.page, url, 'common_chat')
    await until(bob.page, 'navigator.serviceWorker.ready.then(() => true)')
    await lookAway(bob)
    const { body } = await app.call('POST', '/api/rooms', { token: await login('ada'), body: { name: 'Harbour' } })
    const { roomId } = body.room
    await app.call('PUT', `/api/rooms/${roomId}/members/${bob.id}`, { token: await login('ada'), body: {} })
    await say(roomId, { content: 'nobody in particular' })
    await say(roomId, { content: 'look @bob', mentions: { userIds: [bob.id] } })
    await write(ada.page, '<b>psst</b>')
    await until(bob.page, `${told}.then(all => all.length === 2)`)
    t.same(await bob.page.evaluate(`${told}.then(all => all.map(({ title, body }) => [title, body]).sort())`), [
      ['Ada Test', '<b>psst</b>'], ['Harbour', 'Ada Test: look @bob']
    ])
    t.match(await bob.page.title(), /^\(\d+\) /)
  })

  await t.test('pressing a notification opens its conversation', async t => {
    const worker = bob.context.serviceWorkers()[0]
    await worker?.evaluate(`self.registration.getNotifications().then(all => {
      const notification = all.find(({ title }) => title === 'Ada Test')
      self.dispatchEvent(new NotificationEvent('notificationclick', { notification }))
    })`)
    await bob.page.waitForURL(`${url}/c/${conversationId}`)
    await landed(bob.page, '<b>psst</b>').waitFor()
    t.pass()
  })

  await t.test('the service worker sends the outbox when no page is open', async t => {
    await ada.context.setOffline(true)
    await ada.page.getByText('Offline').first().waitFor()
    await write(ada.page, 'closed too early')
    await ada.page.locator('article.wait').waitFor()
    const quiet = await ada.context.newPage()
    const session = await ada.context.newCDPSession(quiet)
    const registered = new Promise<string>(resolve => {
      session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const id = registrations.find(({ scopeURL }) => scopeURL === `${url}/`)?.registrationId
        if (id !== undefined) resolve(id)
      })
    })
    await ada.page.close()
    await ada.context.setOffline(false)
    await session.send('ServiceWorker.enable')
    await session.send('ServiceWorker.dispatchSyncEvent', {
      origin: new URL(url).origin, registrationId: await registered, tag: 'outbox', lastChance: true
    })
    await landed(bob.page, 'closed too early').waitFor()
    t.equal((await shown(bob.page)).filter(text => text === 'closed too early').length, 1)
  })

  await t.test('nothing went wrong in the pages', t => {
    t.same(ada.problems, [])
    t.same(bob.problems, [])
    t.end()
  })

  async function newVersion (page: Page, version: number): Promise<void> {
    proxy.change('/sw.js', code => `${code}\n// ${version}`)
    await page.evaluate('navigator.serviceWorker.getRegistration().then(one => one.update()).then(() => true)')
  }

  /** As if another window covered it. */
  async function lookAway ({ page }: Person): Promise<void> {
    await page.evaluate(`Object.defineProperty(document, 'hidden', { get: () => true })
      document.dispatchEvent(new Event('visibilitychange'))`)
  }

  async function say (roomId: string, body: object): Promise<void> {
    const answer = await app.call('POST', `/api/rooms/${roomId}/messages`, { token: await login('ada'), body })
    if (answer.status !== 201) throw new Error(answer.text)
  }

  async function get (page: Page, path: string): Promise<{ text: string }> {
    return { text: await page.evaluate<string>(`fetch('${url}/${path}').then(answer => answer.text())`) }
  }

  async function login (username: string): Promise<string> {
    const { body } = await app.call('POST', '/api/auth/login', { body: { username, password: 'password-1' } })
    return body.token as string
  }
}
