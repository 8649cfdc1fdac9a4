// npm run bench:client: what the client costs on a device, in a real Chromium with IndexedDB, and in Node.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Page, chromium } from 'playwright-core'
import { Engine } from '../packages/client/src/engine/engine.ts'
import { RowWriter } from '../packages/client/src/engine/row-writer.ts'
import { memoryStorage } from '../packages/client/src/index.ts'
import { type Row, emptyConversation } from '../packages/client/src/pure/state.ts'
import { startServer } from '../test/helpers/process.ts'
import { register } from '../test/helpers/register.ts'
import { call } from '../test/helpers/request.ts'
import { startProxy } from '../test/helpers/tcp-proxy.ts'
import type {} from './lib/client-page.ts'
import { provenance } from './lib/machine.ts'
import { header } from './lib/table.ts'

const messages = 10_000
const pushMax = 100
const catchUps = 5
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

const about = provenance('bench:client')
const data = mkdtempSync(join(tmpdir(), 'tidelog-bench-client-'))
const server = await startServer({
  DATA_DIR: data, RATE_LIMIT_SENDS: '0', RATE_LIMIT_REGISTER: '0', RATE_LIMIT_REQUESTS: '0'
})
console.log(`${header(about)}\n`)
console.log('| | measured |\n| --- | ---: |')
try {
  tell('CPU of the engine for a live message, stored in memory', `${(await engineCpu()).toFixed(0)} µs`)
  if (existsSync(executablePath)) await inChromium()
  else console.log(`There is no Chromium at ${executablePath}: the rest is skipped`)
} finally {
  await server.end('SIGTERM')
  rmSync(data, { recursive: true })
}

function ms (value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`
}

function tell (what: string, value: string): void {
  console.log(`| ${what} | ${value} |`)
}

/** Microseconds for a change that is applied, stored and shown. */
async function engineCpu (): Promise<number> {
  const engine = new Engine('ada', await memoryStorage().open('ada'), { onFailure: () => {}, onLost: () => {} })
  await engine.lead()
  await engine.commit({ conversations: [{ ...emptyConversation('room_r', 'room'), isFresh: false }] })
  const rows = new RowWriter(engine)
  const before = process.cpuUsage()
  for (let seq = 1; seq <= messages; seq++) {
    const row: Row = {
      conversationId: 'room_r',
      id: `m${seq}`,
      seq,
      rev: seq,
      senderId: 'bob',
      text: `message ${seq}`,
      type: 'text',
      createdAt: seq,
      isDeleted: false,
      reactions: []
    }
    const change = { kind: 'message' as const, rev: seq, row, people: [] }
    await engine.write(() => rows.applyLive([{ conversationId: 'room_r', rev: seq, change }]))
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / messages
}

async function inChromium (): Promise<void> {
  const ada = await register(server.url, 'ada')
  const bob = await register(server.url, 'bob')
  // A page that is not from the network may else not open a websocket to this machine.
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-features=LocalNetworkAccessChecks']
  const browser = await chromium.launch({ executablePath, args })
  try {
    const context = await browser.newContext()
    const body = `<!doctype html><title>bare</title><script>${await bundle()}</script>`
    await context.route('**/bare', route => route.fulfill({ contentType: 'text/html', body }))
    const page = await context.newPage()
    await page.goto(`${server.url}/bare`)
    const opened = await page.evaluate(() => bench.open(5_000, 50))
    tell('a list of 5,000 conversations × 50 messages, from IndexedDB', ms(opened))
    await page.evaluate(() => bench.signIn('ada'))
    await say(bob, ada.id, 1)
    await page.evaluate(() => bench.until('1', 'live'))
    const sent = await page.evaluate(id => bench.echo(id, 200), bob.id)
    tell('send to answer on loopback, stored before and after, median of 200', ms(sent))
    const caughtUp = async (page: Page) => {
      const times: number[] = []
      while (times.length < catchUps) {
        await page.evaluate(() => bench.pause())
        await say(bob, ada.id, messages)
        times.push(await page.evaluate(last => bench.until(last, 'syncing'), String(messages)))
      }
      const [quickest, , median] = times.sort((a, b) => a - b) as [number, number, number]
      return `${ms(quickest)} and ${ms(median)}`
    }
    const what = `connecting and catch-up of ${messages} messages into IndexedDB`
    tell(`${what}, the quickest and the median of ${catchUps}`, await caughtUp(page))
    const ends: Array<() => unknown> = []
    const proxy = await startProxy({ teardown: end => { ends.push(end) } }, Number(new URL(server.url).port))
    const far = await context.newPage()
    await far.goto(`http://127.0.0.1:${proxy.port}/bare`)
    await far.evaluate(() => bench.signIn('ada'))
    await far.evaluate(last => bench.until(last, 'live'), String(messages))
    proxy.delay(25)
    tell('the same over a link with a round trip of 50 ms', await caughtUp(far))
    await far.close()
    for (const end of ends) end()
    await page.evaluate(id => bench.watch(id), bob.id)
    await say(bob, ada.id, 1_000)
    await page.evaluate(() => bench.until('1000', 'live'))
    const before = await heap(page)
    await say(bob, ada.id, messages)
    await page.evaluate(last => bench.until(last, 'live'), String(messages))
    const heaps = `${before} and ${await heap(page)} MB`
    tell(`heap of a page with a window open, after 1,000 and ${messages} more live messages`, heaps)
  } finally {
    await browser.close()
  }
}

async function post (path: string, body: object, token: string): Promise<void> {
  const { status, text } = await call(server, 'POST', path, { token, body })
  if (status >= 400) throw new Error(text)
}

async function say ({ token }: { token: string }, receiverId: string, count: number): Promise<void> {
  for (let start = 1; start <= count; start += pushMax) {
    const operations = Array.from({ length: Math.min(pushMax, count - start + 1) }, (_, index) => ({
      opId: String(index),
      type: 'send',
      receiverId,
      clientMessageId: crypto.randomUUID(),
      content: String(start + index)
    }))
    await post('/api/sync/push', { operations }, token)
  }
}

/** Megabytes in use after a collection. */
async function heap (page: Page): Promise<string> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  return (usedSize / 1e6).toFixed(1)
}

async function bundle (): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('lib/client-page.ts', import.meta.url))],
    bundle: true,
    format: 'iife',
    write: false,
    minify: true,
    conditions: ['@tidelog/source'],
    target: 'es2023'
  })
  return outputFiles[0]!.text
}
