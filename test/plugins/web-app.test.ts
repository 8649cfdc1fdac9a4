import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { root } from '../helpers/process.ts'
import { request } from '../helpers/request.ts'
import { buildWeb } from '../web/browser.ts'

buildWeb()
const { url } = await startApp(t)
const get = (path: string, headers: Record<string, string> = {}) => request(url + path, { method: 'GET', headers })
const index = await get('/')
const script = /src="\.\/(assets\/app-[^"]+\.js)"/.exec(index.text)?.[1] ?? ''

t.test('each address of the app serves index.html, which is not cached', async t => {
  for (const path of ['/', '/c/dm_1_2', '/new', '/rooms', '/search?q=x', '/settings', '/sign-in', '/sign-up']) {
    const { status, headers, text } = await get(path)
    t.equal(status, 200, path)
    t.match(headers.get('content-type'), /^text\/html/)
    t.equal(headers.get('cache-control'), 'no-cache')
    t.equal(text, index.text)
  }
  const again = await get('/', { 'if-none-match': index.headers.get('etag') ?? '' })
  t.equal(again.status, 304)
})

t.test('other addresses are not found or belong to the server', async t => {
  for (const path of ['/api/nothing', '/c', '/assets/nothing.js', '/health', '/..%2fpackage.json', '/.stamp']) {
    const { status, headers } = await get(path)
    t.equal(status, 404, path)
    t.match(headers.get('content-type'), /json/)
  }
  t.match((await get('/documentation/json')).headers.get('content-type'), /json/)
})

t.test('the page may run only its own scripts and styles, and no text becomes a script', async t => {
  const policy = index.headers.get('content-security-policy') ?? ''
  t.match(policy, "default-src 'none'")
  t.match(policy, "require-trusted-types-for 'script'")
  t.notMatch(policy, /unsafe/)
  t.notMatch(index.text, /<style|style=|<script(?![^>]* src=)|\son\w+=/)
})

t.test('built files are cached for ever and were compressed by the build', async t => {
  const path = `/${script}`
  for (const encoding of ['br', 'gzip']) {
    const { status, headers } = await get(path, { 'accept-encoding': encoding })
    t.equal(status, 200)
    t.equal(headers.get('content-encoding'), encoding)
    t.match(headers.get('cache-control'), /immutable/)
    t.equal(headers.get('vary'), 'accept-encoding')
  }
  t.equal((await get(path, { 'accept-encoding': 'identity' })).headers.get('content-encoding'), null)
})

t.test('the first load is at most 90 KB of JavaScript and 12 KB of CSS, gzipped', async t => {
  const assets = join(root, 'web/dist/assets')
  const first = new Set([...index.text.matchAll(/(?:src|href)="\.\/assets\/([^"]+)"/g)].map(match => match[1] ?? ''))
  const size = (end: string) => readdirSync(assets).filter(name => name.endsWith(`${end}.gz`) && first.has(name.slice(0, -3)))
    .reduce((sum, name) => sum + statSync(join(assets, name)).size, 0)
  t.ok(size('.js') > 10_000 && size('.js') <= 90 * 1_024, `${size('.js')} bytes of JavaScript`)
  t.ok(size('.css') > 1_000 && size('.css') <= 12 * 1_024, `${size('.css')} bytes of CSS`)
})
