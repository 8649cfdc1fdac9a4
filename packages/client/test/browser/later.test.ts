import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { executablePath, launchArgs, noBrowser } from '../../../../test/helpers/chromium.ts'
import type {} from './page.ts'

const options = { skip: noBrowser ?? false }

t.test('a file of the bundle that does not load is requested again', options, async t => {
  const { url, register } = await startApp(t)
  const { outputFiles } = await build({
    stdin: { contents: pageCode, resolveDir: fileURLToPath(new URL('../../src/', import.meta.url)), loader: 'ts' },
    bundle: true,
    splitting: true,
    format: 'esm',
    write: false,
    outdir: '/files',
    conditions: ['@tidelog/source'],
    target: 'es2023'
  })
  await register('ada')
  const { id: bob } = await register('bob')
  const browser = await chromium.launch({ executablePath, args: launchArgs })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  const refused: string[] = []
  const body = '<!doctype html><title>bare</title><script type="module" src="/files/stdin.js"></script>'
  await page.route('**/bare', route => route.fulfill({ contentType: 'text/html', body }))
  await page.route('**/files/**', async route => {
    const { pathname } = new URL(route.request().url())
    const isLater = /leader|esm/.test(pathname)
    if (isLater && refused.filter(path => path === pathname).length < 2) {
      refused.push(pathname)
      return await route.abort()
    }
    const file = outputFiles.find(({ path }) => path === pathname)
    await route.fulfill({ contentType: 'text/javascript', body: file?.text ?? '' })
  })
  await page.goto(`${url}/bare`)
  await page.waitForFunction(() => 'tidelog' in globalThis)
  await page.evaluate(async () => { await tidelog.login({ username: 'ada', password: 'password-1' }) })
  const states = await page.evaluate(async to => {
    const states: string[] = []
    tidelog.connection.subscribe(({ state }) => { states.push(state) })
    await tidelog.start()
    await tidelog.direct(to).send('written while its code was missing')
    return states
  }, bob)
  await page.waitForFunction(() => tidelog.conversations.get()[0]?.lastMessage?.status === 'sent')
  t.ok(refused.filter(path => path.includes('leader')).length === 2, 'the code did not come at first')
  t.ok(states.every(state => state === 'offline' || state === 'connecting'), 'then it is as without a connection')
})

/** Waits a tenth of what it would. */
const pageCode = `
import { createClient } from './index.ts'
import { socketTransport } from './network/socket.ts'
globalThis.tidelog = createClient({ socket: socketTransport(), random: () => Math.random() / 10 })
`
