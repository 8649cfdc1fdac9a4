import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { type TestApp, startApp } from '../helpers/app.ts'
import { executablePath, launchArgs } from '../helpers/chromium.ts'

export { noBrowser } from '../helpers/chromium.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Milliseconds: a little less than tap gives a file, so that a failure says what did not come. */
const patienceMs = 280_000

interface Suite { teardown: (end: () => Promise<unknown>) => void }

/** Builds the web app if it is not up to date. Call it before the server starts, which reads the files then. */
export function buildWeb (): void {
  execFileSync(process.execPath, ['scripts/build-web.mjs'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], env: { PATH: process.env['PATH'] } })
}

/** A browser that waits for what a test waits for as long as the test may take. */
export async function startBrowser (t: Suite, path = executablePath): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: path, args: launchArgs, timeout: patienceMs })
  browser.on('context', context => { context.setDefaultTimeout(patienceMs) })
  t.teardown(() => browser.close())
  return browser
}

export interface Person {
  context: BrowserContext
  page: Page
  username: string
  id: string
  /** What went wrong in the page: defects, and what the Content-Security-Policy refused. */
  problems: string[]
}

export interface Look { width?: number, height?: number, colorScheme?: 'light' | 'dark', locale?: string, touch?: boolean }

/** A person with a browser of their own, signed in by the page's form. */
export async function signIn (browser: Browser, { url, register }: Pick<TestApp, 'url' | 'register'>, username: string, look: Look = {}): Promise<Person> {
  const { id } = await register(username, { fullName: `${username.charAt(0).toUpperCase()}${username.slice(1)} Test` })
  const context = await browser.newContext({
    viewport: { width: look.width ?? 1_280, height: look.height ?? 800 },
    colorScheme: look.colorScheme ?? 'light',
    locale: look.locale ?? 'en-GB',
    hasTouch: look.touch ?? false,
    isMobile: look.touch ?? false
  })
  const page = await context.newPage()
  const problems = watch(page)
  await page.goto(`${url}/`)
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Password', { exact: true }).fill('password-1')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('navigation').waitFor()
  await page.getByText('Up to date').first().waitFor()
  return { context, page, username, id, problems }
}

/** A server with the app that was built last, and a browser. */
export async function startWeb (t: Test, environment: Record<string, string> = {}) {
  buildWeb()
  return { app: await startApp(t, environment), browser: await startBrowser(t) }
}

/** A server, and two people who are signed in, each in a browser of their own. */
export async function twoPeople (t: Test) {
  const { app, browser } = await startWeb(t)
  return { app, browser, ada: await signIn(browser, app, 'ada'), bob: await signIn(browser, app, 'bob') }
}

/** Collects what goes wrong in a page. A request that fails without a connection is no defect. */
export function watch (page: Page): string[] {
  const problems: string[] = []
  page.on('pageerror', error => problems.push(error.stack ?? error.message))
  page.on('console', message => {
    const text = message.text()
    if (message.type() === 'error' && !/net::ERR|status of|WebSocket connection/.test(text)) problems.push(text)
  })
  return problems
}

export const dm = (a: string, b: string): string => `dm_${[a, b].sort().join('_')}`

export async function open (page: Page, url: string, conversationId: string): Promise<void> {
  await page.goto(`${url}/c/${conversationId}`)
  await page.locator('#composer').waitFor()
}

/** Writes in the open conversation, as one does. */
export async function write (page: Page, text: string): Promise<void> {
  await page.locator('#composer').fill(text)
  await page.locator('#composer').press('Enter')
}

/** A message of the open conversation that is in the log, not only in the outbox. */
export const landed = (page: Page, text: string) =>
  page.locator('article:not(.wait):not(.failed)').filter({ has: page.locator('.text', { hasText: text }) })

/** The texts of the open conversation's messages, in order. */
export const shown = (page: Page): Promise<string[]> => page.locator('article .text').allInnerTexts()

/** Waits until an expression holds in the page. (Playwright's own way evaluates it in the page, which its policy refuses.) */
export async function until (page: Page, expression: string): Promise<void> {
  const end = Date.now() + patienceMs
  while (await page.evaluate(expression) !== true) {
    if (Date.now() > end) throw new Error(`it never was so: ${expression}`)
    await page.evaluate('new Promise(resolve => setTimeout(resolve, 20))')
  }
}
