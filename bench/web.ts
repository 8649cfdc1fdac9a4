// npm run bench:web: how fast the web app is, in a real Chromium. The first load on a slow phone's terms (4× slower
// CPU, slow 4G), an account of 50 conversations from the device's own storage, and typing, sending and scrolling in a
// conversation of 10,000 messages.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { startServer } from '../test/helpers/process.ts'
import { register } from '../test/helpers/register.ts'
import { call } from '../test/helpers/request.ts'
import { provenance } from './lib/machine.ts'
import { header } from './lib/table.ts'

const rounds = 5
const conversations = 50
const messages = 10_000
/** What Lighthouse calls slow 4G: 1.6 Mbit/s down, 750 kbit/s up, 150 ms. */
const slow4g = { offline: false, latency: 150, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8 }
const slowCpu = 4
/** Faster than anybody types. Without a pause a browser gets 200 keys a second, and puts off drawing them. */
const keyPauseMs = 40

interface Row { what: string, value: string, target: string, isMet: boolean }
interface Paint { firstPaint: number, ready: number, shift: number }

/** Records from the start of a page when it was painted, when it showed `part` and was ready, and its layout shifts. */
function watch (part: string): string {
  return `
  window.seen = { firstPaint: 0, ready: 0, shift: 0, events: [] }
  new PerformanceObserver(list => {
    for (const { name, startTime } of list.getEntries()) {
      if (name === 'first-contentful-paint') seen.firstPaint = startTime
    }
  }).observe({ type: 'paint', buffered: true })
  new PerformanceObserver(list => {
    for (const shift of list.getEntries()) if (!shift.hadRecentInput) seen.shift += shift.value
  }).observe({ type: 'layout-shift', buffered: true })
  new PerformanceObserver(list => {
    for (const { duration, interactionId } of list.getEntries()) if (interactionId > 0) seen.events.push(duration)
  }).observe({ type: 'event', durationThreshold: 16, buffered: true })
  // A task after the frame that shows the part: from then on the page reacts.
  const look = () => {
    if (document.querySelector(${JSON.stringify(part)}) === null) requestAnimationFrame(look)
    else setTimeout(() => { seen.ready = performance.now() })
  }
  requestAnimationFrame(look)`
}

execFileSync(process.execPath, ['scripts/build-web.mjs'], { stdio: 'inherit' })
const about = provenance('bench:web')
const data = mkdtempSync(join(tmpdir(), 'tidelog-bench-web-'))
const server = await startServer({
  DATA_DIR: data, RATE_LIMIT_SENDS: '0', RATE_LIMIT_REGISTER: '0', RATE_LIMIT_REQUESTS: '0'
})
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu']
})
try {
  const room = await fill()
  const rows = [...await firstLoad(browser), ...await fromDevice(browser, room)]
  console.log(`${header(about)}\n`)
  console.log('| | measured | target | |\n| --- | ---: | ---: | --- |')
  for (const { what, value, target, isMet } of rows) {
    console.log(`| ${what} | ${value} | ${target} | ${isMet ? 'met' : '**missed**'} |`)
  }
} finally {
  await browser.close()
  await server.end('SIGTERM')
  rmSync(data, { recursive: true })
}

/** The sign-in page, with nothing stored on the device. */
async function firstLoad (browser: Browser): Promise<Row[]> {
  const paints: Paint[] = []
  for (let round = 0; round < rounds; round++) {
    const context = await newContext(browser)
    const page = await context.newPage()
    await slowDown(page, slow4g)
    paints.push(await load(page, '/sign-in', 'form input'))
    await context.close()
  }
  const where = `the sign-in page, ${slowCpu}× slower CPU, slow 4G`
  return [
    ms(`first contentful paint of ${where}`, median(paints.map(paint => paint.firstPaint)), 1_500),
    ms(`interactive: ${where}`, median(paints.map(paint => paint.ready)), 2_500),
    layoutShift(`layout shift: ${where}`, paints)
  ]
}

/** The list of a user who has used the app on this device before. */
async function fromDevice (browser: Browser, room: string): Promise<Row[]> {
  const context = await newContext(browser)
  const page = await context.newPage()
  await page.goto(`${server.url}/sign-in#username=ada&password=password-1`)
  await page.locator('form .btn.main').click()
  await page.locator('.rows .row').nth(conversations).waitFor()
  await page.goto(`${server.url}/c/${room}`)
  await page.locator('article').nth(20).waitFor()
  await page.evaluate('navigator.serviceWorker.ready.then(() => 0)')
  await page.close()
  const plain = await loads(context, 1)
  const slow = await loads(context, slowCpu)
  const rows = [
    ms(
      `interactive: a list of ${conversations} conversations, from the device`,
      median(plain.map(paint => paint.ready)),
      1_000
    ),
    ms(`the same, ${slowCpu}× slower CPU`, median(slow.map(paint => paint.ready)), 2_500),
    layoutShift('layout shift of both', [...plain, ...slow]),
    ...await inConversation(context, room)
  ]
  await context.close()
  return rows
}

async function loads (context: BrowserContext, cpu: number): Promise<Paint[]> {
  const paints: Paint[] = []
  for (let round = 0; round < rounds; round++) {
    const page = await context.newPage()
    await slowDown(page, undefined, cpu)
    paints.push(await load(page, '/', '.rows .row'))
    await page.close()
  }
  return paints
}

/** Typing, sending and scrolling in a conversation of 10,000 messages. */
async function inConversation (context: BrowserContext, room: string): Promise<Row[]> {
  const page = await context.newPage()
  await page.addInitScript(watch('article'))
  await page.goto(`${server.url}/c/${room}`)
  await page.locator('article').nth(20).waitFor()
  const composer = page.locator('#composer')
  await composer.click()
  const text = 'the quick brown fox jumps over the lazy dog '
  const typing = await interactions(page, text.length * 4, async () => {
    await composer.pressSequentially(text.repeat(4), { delay: keyPauseMs })
  })
  await composer.fill('')
  const sending = await interactions(page, 30 * 2, async () => {
    for (let at = 0; at < 30; at++) {
      await composer.press('x', { delay: keyPauseMs })
      await composer.press('Enter', { delay: keyPauseMs })
    }
  })
  const frames = await scrolling(page)
  await page.close()
  const where = `in a conversation of ${messages.toLocaleString('en')} messages`
  return [
    ms(`typing ${where}: 98 % of key presses are painted in`, p98(typing), 100),
    ms(`sending ${where}: 98 % of key presses`, p98(sending), 100),
    ms(`scrolling ${where}: 98 % of frames`, p98(frames), 100)
  ]
}

/** Milliseconds from each interaction until it was painted. The browser reports those of at least 16 ms. */
async function interactions (page: Page, count: number, act: () => Promise<void>): Promise<number[]> {
  await page.evaluate('seen.events.length = 0')
  await act()
  const told = await page.evaluate<number[]>('new Promise(resolve => setTimeout(resolve, 500)).then(() => seen.events)')
  return [...told, ...Array.from({ length: Math.max(0, count - told.length) }, () => 16)]
}

/** Milliseconds between the frames while the page scrolls up through some thousand messages. */
async function scrolling (page: Page): Promise<number[]> {
  await page.mouse.move(800, 400)
  await page.evaluate(`seen.frames = []
    let last = performance.now()
    const frame = now => { seen.frames.push(now - last); last = now; requestAnimationFrame(frame) }
    requestAnimationFrame(frame)`)
  for (let at = 0; at < 150; at++) {
    await page.mouse.wheel(0, -700)
    await page.evaluate('new Promise(requestAnimationFrame).then(() => 0)')
  }
  return await page.evaluate<number[]>('seen.frames')
}

async function load (page: Page, path: string, part: string): Promise<Paint> {
  await page.addInitScript(watch(part))
  await page.goto(server.url + path, { waitUntil: 'commit' })
  await page.locator(part).first().waitFor()
  return await page.evaluate<Paint>('new Promise(resolve => setTimeout(resolve, 1500)).then(() => seen)')
}

async function slowDown (page: Page, network: typeof slow4g | undefined, cpu = slowCpu): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('Emulation.setCPUThrottlingRate', { rate: cpu })
  if (network === undefined) return
  await session.send('Network.enable')
  await session.send('Network.emulateNetworkConditions', network)
}

async function newContext (browser: Browser): Promise<BrowserContext> {
  return await browser.newContext({ viewport: { width: 1_280, height: 800 }, locale: 'en-GB' })
}

function ms (what: string, value: number, most: number): Row {
  return { what, value: `${Math.round(value)} ms`, target: `≤ ${most} ms`, isMet: value <= most }
}

function layoutShift (what: string, paints: readonly Paint[]): Row {
  const worst = Math.max(...paints.map(({ shift }) => shift))
  return { what, value: worst.toFixed(3), target: '0', isMet: worst < 0.0005 }
}

function median (values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

function p98 (values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.98) - 1] ?? NaN
}

/** Creates fifty users who have written to Ada, and a room of 10,000 messages. */
async function fill (): Promise<string> {
  const ada = await register(server.url, 'ada')
  const writer = await register(server.url, 'writer')
  for (let at = 0; at < conversations; at++) {
    const { token } = await register(server.url, `friend${at}`)
    await ask('POST', '/api/messages', token, { receiverId: ada.id, content: `hello from friend ${at}` })
  }
  const { room } = await ask('POST', '/api/rooms', writer.token, { name: 'Long' })
  await ask('PUT', `/api/rooms/${room.roomId}/members/${ada.id}`, writer.token, {})
  const conversationId = `room_${room.roomId}`
  for (let at = 0; at < messages; at += 100) {
    const operations = Array.from({ length: 100 }, (_, n) => ({
      opId: String(n),
      type: 'send',
      conversationId,
      clientMessageId: `m${at + n}`,
      content: `${at + n} ${'low water at the bar '.repeat((at + n) * 7 % 23 + 1)}`
    }))
    await ask('POST', '/api/sync/push', writer.token, { operations })
  }
  return conversationId
}

// The callers know the shape of the answer.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
async function ask (method: string, path: string, token: string, body: unknown): Promise<any> {
  const answer = await call(server, method, path, { token, body })
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text.slice(0, 300)}`)
  return answer.body
}
