import t from 'tap'
import { noBrowser, signIn, startWeb, until } from './browser.ts'

/** Many times what the page holds at once. */
const total = 4_000
/** Pixels that a message may stand elsewhere than where scrolling has moved it: what rounding makes. */
const jumpPx = 1
const isAtEnd = `(() => {
  const log = document.querySelector('[role=log]')
  return log.scrollHeight - log.scrollTop - log.clientHeight < 2
})()`

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, browser } = await startWeb(t, { RATE_LIMIT_SENDS: '0', RATE_LIMIT_REQUESTS: '0' })
  const writer = await app.register('writer')
  const { room } = (await app.call('POST', '/api/rooms', { token: writer.token, body: { name: 'Long' } })).body
  await fill()
  const ada = await signIn(browser, app, 'ada')
  await app.call('PUT', `/api/rooms/${room.roomId}/members/${ada.id}`, { token: writer.token, body: {} })
  await ada.page.getByRole('link', { name: /Long/ }).click()
  await ada.page.locator('article').first().waitFor()
  await ada.page.getByRole('log').press('End')
  // The newest may have to be read first; who scrolls before that is taken to the end.
  await ada.page.locator('article').filter({ hasText: new RegExp(`^\\D*${total - 1} `) }).waitFor()
  await until(ada.page, isAtEnd)

  await t.test(`scrolling through ${total} messages up and down never makes one jump`, async t => {
    const up = await walk(-700, 100)
    const down = await walk(600, 70)
    const worst = Math.max(...up.jumps, ...down.jumps)
    t.ok(worst <= jumpPx, `the largest jump is ${worst} px`)
    t.ok(up.rows > 300, `${up.rows} different messages were seen on the way up`)
    t.ok(await ada.page.locator('article').count() <= 150, 'at most 150 of them are in the page')
  })

  await t.test('new messages while you read older ones move nothing, and are counted', async t => {
    const before = await firstRow()
    await app.call('POST', `/api/rooms/${room.roomId}/messages`, { token: writer.token, body: { content: 'news' } })
    await ada.page.getByRole('button', { name: /below, go to the newest/ }).waitFor()
    t.same(await firstRow(), before)
    await ada.page.getByRole('button', { name: /below, go to the newest/ }).click()
    await ada.page.locator('article').filter({ hasText: 'news' }).waitFor()
    await until(ada.page, isAtEnd)
  })

  await t.test('a link to an old message shows it in its place', async t => {
    await ada.page.goto(`${app.url}/c/room_${room.roomId}?m=1321`)
    const row = ada.page.locator('article').filter({ hasText: /^\D*1320 / })
    await row.waitFor()
    await until(ada.page, 'document.querySelector("article.found") !== null')
    const top = (await row.boundingBox())?.y ?? 0
    t.ok(top > 56 && top < 740, `it is at ${top} px`)
  })

  /** Scrolls by steps that all find room; a row that is there before and after must have moved by exactly the step. */
  async function walk (step: number, steps: number): Promise<{ jumps: number[], rows: number }> {
    return await ada.page.evaluate<{ jumps: number[], rows: number }>(`(async () => {
      const log = document.querySelector('[role=log]')
      const frame = () => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)))
      const jumps = []
      const seen = new Set()
      for (let n = 0; n < ${steps}; n++) {
        const row = [...log.querySelectorAll('article')].find(row => row.getBoundingClientRect().bottom > 300)
        if (row === undefined) break
        const key = row.dataset.key
        const top = row.getBoundingClientRect().top
        const at = log.scrollTop
        log.scrollTop += ${step}
        const moved = log.scrollTop - at
        for (let wait = 0; wait < 2 || log.scrollTop < ${-step}; wait++) await frame()
        for (const other of log.querySelectorAll('article')) seen.add(other.dataset.key)
        const after = log.querySelector('article[data-key="' + CSS.escape(key) + '"]')
        if (after !== null) jumps.push(Math.abs(after.getBoundingClientRect().top - (top - moved)))
      }
      return { jumps, rows: seen.size }
    })()`)
  }

  async function firstRow (): Promise<unknown> {
    return await ada.page.evaluate(`(() => {
      const row = [...document.querySelectorAll('article')].find(row => row.getBoundingClientRect().bottom > 57)
      return [row.dataset.key, row.getBoundingClientRect().top]
    })()`)
  }

  async function fill (): Promise<void> {
    for (let at = 0; at < total; at += 100) {
      const operations = Array.from({ length: 100 }, (_, n) => ({
        opId: String(n),
        type: 'send',
        conversationId: `room_${room.roomId}`,
        clientMessageId: `m${at + n}`,
        content: `${at + n} ${'low water at the bar '.repeat((at + n) * 7 % 23 + 1)}`
      }))
      const { status, text } = await app.call('POST', '/api/sync/push', { token: writer.token, body: { operations } })
      if (status !== 200 || text.includes('"success":false')) throw new Error(text.slice(0, 500))
    }
  }
}
