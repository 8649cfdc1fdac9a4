import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type Page, chromium } from 'playwright-core'
import t from 'tap'
import { executablePath, launchArgs, noBrowser } from '../../../../test/helpers/chromium.ts'
import { type ServerProcess, startServer } from '../../../../test/helpers/process.ts'
import { createClient } from '../../src/index.ts'
import type { Client } from '../../src/types.ts'
import { when } from '../helpers/clients.ts'
import { bundle } from './bundle.ts'

const options = { skip: noBrowser ?? false }

interface Browser { page: Page, kill: () => Promise<void> }

/** A browser with its own profile on the disk, which can be killed like any program. */
async function openBrowser (profile: string, url: string, script: string): Promise<Browser> {
  const child: ChildProcess = spawn(executablePath, [
    ...launchArgs,
    `--user-data-dir=${profile}`,
    '--remote-debugging-port=0',
    // The page is not the server's own, but one that this test answers with.
    '--disable-features=LocalNetworkAccessChecks',
    'about:blank'
  ], { stdio: ['ignore', 'ignore', 'pipe'] })
  const endpoint = await new Promise<string>(resolve => {
    createInterface({ input: child.stderr! }).on('line', line => {
      const listening = /^DevTools listening on (.+)$/.exec(line)
      if (listening !== null) resolve(listening[1]!)
    })
  })
  const browser = await chromium.connectOverCDP(endpoint)
  const context = browser.contexts()[0]!
  const body = `<!doctype html><title>bare</title><script>${script}</script>`
  await context.route('**/bare', route => route.fulfill({ contentType: 'text/html', body }))
  const page = await context.newPage()
  await page.goto(`${url}/bare`)
  return {
    page,
    kill: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
  }
}

function input (username: string) {
  return { fullName: username, username, email: `${username}@example.org`, password: 'password-1' }
}

async function newUser (url: string, name: string): Promise<{ client: Client, id: string }> {
  const client = createClient({ url })
  return { client, id: (await client.register(input(name))).id }
}

const title = 'C2: in Chromium, 200 messages over 5 conversations, written offline; browser and server are killed in ' +
  'between: all are there, once, in order'

t.test(title, options, async t => {
  let server: ServerProcess | undefined
  let browser: Browser | undefined
  t.teardown(async () => {
    await browser?.kill()
    await server?.end('SIGKILL')
  })
  const folder = t.testdir({ profile: {}, data: {} })
  const [profile, environment] = [`${folder}/profile`, { DATA_DIR: `${folder}/data`, LOG_LEVEL: 'info' }]
  server = await startServer(environment)
  const { url } = server
  const script = await bundle()
  const others = await Promise.all(['one', 'two', 'three', 'four', 'five'].map(name => newUser(url, name)))
  t.teardown(() => Promise.all(others.map(({ client }) => client.close())))
  browser = await openBrowser(profile, url, script)
  await browser.page.evaluate(async given => { await tidelog.register(given) }, input('writer'))

  for (let start = 0; start < 200; start += 50) {
    // Not started: nothing goes out.
    await browser.page.evaluate(async ({ ids, start }) => {
      for (let number = start; number < start + 50; number++) {
        await tidelog.direct(ids[number % 5]!).send(`message ${number}`)
      }
    }, { ids: others.map(({ id }) => id), start })
    await browser.kill()
    browser = await openBrowser(profile, url, script)
    await browser.page.evaluate(async () => { await tidelog.resume() })
    t.equal(await browser.page.evaluate(() => tidelog.outbox.get().length), start + 50, 'all of it is on the disk')
  }

  for (const left of [150, 90, 40]) {
    await browser.page.evaluate(async () => { await tidelog.start() })
    await browser.page.waitForFunction(left => tidelog.outbox.get().length <= left, left)
    if (left === 90) {
      await server.end('SIGKILL')
      server = await startServer({ ...environment, PORT: new URL(url).port })
    }
    await browser.kill()
    browser = await openBrowser(profile, url, script)
    await browser.page.evaluate(async () => { await tidelog.resume() })
  }
  await browser.page.evaluate(async () => { await tidelog.start() })
  await browser.page.waitForFunction(() => tidelog.outbox.get().length === 0)

  for (const [index, { client }] of others.entries()) {
    await client.start()
    const [summary] = await when(client.conversations, list => list.length > 0)
    const timeline = client.conversation(summary!.id).timeline({ at: 'newest' })
    await timeline.ready
    while (timeline.hasOlder.get()) await timeline.loadOlder()
    const expected = Array.from({ length: 40 }, (_, number) => `message ${number * 5 + index}`)
    t.strictSame(timeline.messages.get().map(({ text }) => text), expected)
  }
})
