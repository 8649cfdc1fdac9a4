import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { root } from '../helpers/process.ts'
import { noBrowser, startBrowser } from '../web/browser.ts'

const page = readFileSync(join(root, 'examples', 'page.html'), 'utf8')

/** What `npm run bundle` makes. */
async function bundle (): Promise<Uint8Array> {
  const folder = fileURLToPath(new URL('../../packages/client/src/', import.meta.url))
  const entries = ['index', 'storage/indexeddb', 'network/socket']
  const contents = entries.map(entry => `export * from './${entry}.ts'`).join('\n')
  const { outputFiles: [file] } = await build({
    stdin: { contents, resolveDir: folder, loader: 'ts' },
    bundle: true,
    format: 'esm',
    write: false,
    conditions: ['browser']
  })
  return file!.contents
}

t.test('the page has at most 60 lines', async t => {
  t.ok(page.trimEnd().split('\n').length <= 60)
})

const options = { skip: noBrowser ?? false }
t.test('a page of plain HTML on another origin can chat, and keeps the messages', options, async t => {
  const { url, register, call } = await startApp(t)
  const bob = await register('bob')
  await register('ada', { fullName: 'Ada' })
  const script = await bundle()
  const files = createServer(({ url: path }, answer) => {
    const isPage = path?.startsWith('/examples/page.html') === true
    answer.setHeader('content-type', isPage ? 'text/html' : 'text/javascript')
    answer.end(isPage ? page : script)
  }).listen(0, '127.0.0.1')
  await once(files, 'listening')
  t.teardown(async () => {
    files.closeAllConnections()
    files.close()
  })
  const browser = await startBrowser(t)
  const context = await browser.newContext()
  const tab = await context.newPage()
  const problems: string[] = []
  tab.on('pageerror', error => { problems.push(String(error)) })
  const { port } = files.address() as AddressInfo
  await tab.goto(`http://127.0.0.1:${port}/examples/page.html?server=${url}`)
  await tab.getByPlaceholder('User name').fill('ada')
  await tab.getByPlaceholder('Password').fill('password-1')
  await tab.getByRole('button', { name: 'Sign in' }).click()
  await tab.getByText('live', { exact: true }).waitFor()

  await tab.getByLabel('Message').fill('hello')
  await tab.getByRole('button', { name: 'Send' }).click()
  await tab.getByText('Ada: hello').waitFor()
  await call('POST', '/api/common-chat/message', { token: bob.token, body: { content: 'hello, Ada' } })
  await tab.getByText('Full bob: hello, Ada').waitFor()

  await context.route(`${url}/**`, route => route.abort())
  await tab.reload()
  await tab.getByText('Full bob: hello, Ada').waitFor()
  await tab.getByLabel('Message').fill('from a tunnel')
  await tab.getByRole('button', { name: 'Send' }).click()
  await tab.getByText('Ada: from a tunnel (queued)').waitFor()
  await context.unroute(`${url}/**`)
  await tab.reload()
  await tab.getByText(/^Ada: from a tunnel $/).waitFor()
  const { body } = await call('GET', '/api/common-chat/messages', { token: bob.token })
  const texts = body.messages.map(({ message }: { message: string }) => message)
  t.strictSame(texts, ['hello', 'hello, Ada', 'from a tunnel'])

  await tab.getByRole('button', { name: 'Sign out' }).click()
  await tab.getByPlaceholder('User name').waitFor()
  t.equal(await tab.getByRole('listitem').count(), 0)
  t.strictSame(problems, [])
})
