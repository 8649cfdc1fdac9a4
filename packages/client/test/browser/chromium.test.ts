import { type BrowserContext, type Page, chromium } from 'playwright-core'
import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { executablePath, launchArgs, noBrowser } from '../../../../test/helpers/chromium.ts'
import { bundle } from './bundle.ts'

/** A page of the server's own origin with nothing on it but the client, as `tidelog`. */
async function openPage (context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${url}/bare`)
  return page
}

const options = { skip: noBrowser ?? false }

t.test('in Chromium, with IndexedDB and several tabs', options, async t => {
  const { url, register } = await startApp(t)
  const script = await bundle()
  const browser = await chromium.launch({ executablePath, args: launchArgs })
  t.teardown(() => browser.close())
  const context = await browser.newContext()
  await context.route('**/bare', route => route.fulfill({ contentType: 'text/html', body: `<!doctype html><title>bare</title><script>${script}</script>` }))
  await register('ada')
  const { id: bob } = await register('bob')

  const first = await openPage(context, url)
  await first.evaluate(async () => { await tidelog.login({ username: 'ada', password: 'password-1' }) })
  await first.evaluate(async () => { await tidelog.start() })
  await first.waitForFunction(() => tidelog.connection.get().state === 'live')

  await t.test('a second tab follows the leader and writes through it', async t => {
    const second = await openPage(context, url)
    t.ok(await second.evaluate(async () => await tidelog.resume()))
    await second.evaluate(async () => { await tidelog.start() })
    await second.waitForFunction(() => tidelog.connection.get().state === 'live')
    t.strictSame([await first.evaluate(() => tidelog.connection.get().leads), await second.evaluate(() => tidelog.connection.get().leads)], [true, false])
    await second.evaluate(async id => { await tidelog.direct(id).send('from the second tab') }, bob)
    await second.waitForFunction(() => tidelog.outbox.get().length === 0)
    await first.waitForFunction(() => tidelog.conversations.get()[0]?.lastMessage?.text === 'from the second tab')
    t.equal(await second.evaluate(() => tidelog.conversations.get()[0]?.lastMessage?.status), 'sent')
    await second.close()
  })

  await t.test('when the leading tab is closed, the next one takes over', async t => {
    const second = await openPage(context, url)
    await second.evaluate(async () => {
      await tidelog.resume()
      await tidelog.start()
    })
    await first.close()
    await second.waitForFunction(() => tidelog.connection.get().leads && tidelog.connection.get().state === 'live')
    t.ok(await second.evaluate(() => tidelog.inspect().tab.term) > 1)
    await second.close()
  })

  await t.test('a leading tab that freezes is replaced, and follows when it wakes up', async t => {
    const frozen = await openPage(context, url)
    await frozen.evaluate(async () => {
      await tidelog.resume()
      await tidelog.start()
    })
    await frozen.waitForFunction(() => tidelog.connection.get().leads)
    const second = await openPage(context, url)
    await second.evaluate(async () => {
      await tidelog.resume()
      await tidelog.start()
    })
    const goesOn = frozen.evaluate(() => {
      for (const end = Date.now() + 8_000; Date.now() < end;);
    })
    await second.waitForFunction(() => tidelog.connection.get().leads && tidelog.connection.get().state === 'live')
    await second.evaluate(async id => { await tidelog.direct(id).send('meanwhile') }, bob)
    await second.waitForFunction(() => tidelog.outbox.get().length === 0)
    await goesOn
    await frozen.waitForFunction(() => !tidelog.connection.get().leads && tidelog.conversations.get()[0]?.lastMessage?.text === 'meanwhile')
    t.equal(await second.evaluate(() => tidelog.connection.get().leads), true)
    await frozen.close()
    await second.close()
  })

  await t.test('messages written offline survive closing the page, and are sent once', async t => {
    const offline = await openPage(context, url)
    await context.setOffline(true)
    await offline.evaluate(async id => {
      await tidelog.resume()
      await tidelog.start()
      for (let number = 1; number <= 40; number++) await tidelog.direct(id).send(`offline ${number}`)
    }, bob)
    t.equal(await offline.evaluate(() => tidelog.outbox.get().length), 40)
    await offline.close()
    await context.setOffline(false)

    const online = await openPage(context, url)
    await online.evaluate(async () => { await tidelog.resume() })
    t.equal(await online.evaluate(() => tidelog.outbox.get().length), 40, 'all of it is there')
    await online.evaluate(async () => { await tidelog.start() })
    await online.waitForFunction(() => tidelog.outbox.get().length <= 20)
    // In the middle of sending.
    await online.close()

    const last = await openPage(context, url)
    await last.evaluate(async () => {
      await tidelog.resume()
      await tidelog.start()
    })
    await last.waitForFunction(() => tidelog.outbox.get().length === 0)
    const texts = await last.evaluate(async id => {
      const timeline = tidelog.direct(id).timeline({ at: 'newest', pageSize: 200 })
      await timeline.ready
      return timeline.messages.get().map(({ text }) => text).filter(text => text.startsWith('offline'))
    }, bob)
    t.strictSame(texts, Array.from({ length: 40 }, (_, index) => `offline ${index + 1}`))

    await last.evaluate(async () => { await tidelog.logout() })
    const names = await last.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name ?? ''))
    t.strictSame(names.filter(name => name.includes(':')), [], 'signing out wipes what was stored')
  })
})
