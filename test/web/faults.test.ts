import type { Page } from 'playwright-core'
import t from 'tap'
import { dm, landed, noBrowser, open, shown, twoPeople, until, write } from './browser.ts'

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, ada, bob } = await twoPeople(t)
  const conversationId = dm(ada.id, bob.id)
  await open(bob.page, app.url, conversationId)
  await open(ada.page, app.url, conversationId)
  await ada.page.keyboard.press('Control+Shift+f')
  const drawer = drawerOf(ada.page)
  await drawer.waitFor()

  await t.test('lost, late, repeated or reordered events do not change what the conversation shows', async t => {
    for (const [name, amount] of [['Drop', 30], ['Double', 50], ['Reorder', 50], ['Delay', 50]] as const) {
      await drawer.getByRole('switch', { name, exact: true }).click()
      await drawer.getByLabel(`${name}: how much`).fill(String(amount))
    }
    const texts = Array.from({ length: 20 }, (_, at) => `message ${at}`)
    for (const text of texts) await write(bob.page, text)
    await landed(bob.page, 'message 19').waitFor()
    await landed(ada.page, 'message 19').waitFor()
    await until(ada.page, 'document.querySelectorAll("article").length === 20')
    t.same(await shown(ada.page), texts)
    for (const name of ['Drop', 'Double', 'Reorder', 'Delay']) {
      await drawer.getByRole('switch', { name, exact: true }).click()
    }
  })

  await t.test('the drawer shows the stored cursors, revs, ranges and outbox', async t => {
    const cells = drawer.getByRole('row').filter({ hasText: 'Bob Test' }).getByRole('cell')
    await until(ada.page, '[...document.querySelectorAll(\'.faults td\')].some(cell => cell.textContent === \'20\')')
    t.match(await cells.allInnerTexts(), ['Bob Test', /\S…\S/, '20', '0'])
    await drawer.getByText('1 to 20').waitFor()
    await drawer.getByText('0 gaps').waitFor()
    await drawer.getByRole('button', { name: 'Go offline' }).click()
    await write(ada.page, 'without a connection')
    await drawer.getByRole('cell', { name: 'send' }).waitFor()
    await drawer.getByRole('button', { name: 'Go online' }).click()
    await landed(bob.page, 'without a connection').waitFor()
    await drawer.getByRole('cell', { name: 'send' }).waitFor({ state: 'detached' })
  })

  await t.test('when the device is full, a message stays in the composer, with the reason', async t => {
    await drawer.getByRole('switch', { name: 'Storage' }).click()
    await write(ada.page, 'too much')
    await ada.page.getByRole('alert').filter({ hasText: 'This device cannot store it' }).waitFor()
    t.equal(await ada.page.locator('#composer').inputValue(), 'too much')
    await write(bob.page, 'meanwhile')
    await landed(bob.page, 'meanwhile').waitFor()
    await ada.page.getByRole('navigation').getByText('This device cannot store it').waitFor()
    await drawer.getByRole('switch', { name: 'Storage' }).click()
    await ada.page.locator('#composer').press('Enter')
    await landed(bob.page, 'too much').waitFor()
    await landed(ada.page, 'meanwhile').waitFor()
    await until(ada.page, 'document.querySelector(".composer [role=alert]") === null')
  })

  await t.test('a clock that is wrong by a day disturbs neither order nor session', async t => {
    await drawer.getByRole('switch', { name: 'Clock' }).click()
    for (const minutes of [1_440, -1_440]) {
      await drawer.getByLabel('Clock: how much').fill(String(minutes))
      await write(ada.page, `by a clock of ${minutes}`)
      await write(bob.page, `answer to ${minutes}`)
      await landed(ada.page, `answer to ${minutes}`).waitFor()
      await landed(ada.page, `by a clock of ${minutes}`).waitFor()
    }
    await drawer.getByRole('switch', { name: 'Clock' }).click()
    await landed(bob.page, 'by a clock of -1440').waitFor()
    await until(ada.page, 'document.querySelectorAll("article.wait").length === 0')
    t.same(await shown(ada.page), await shown(bob.page))
  })

  await t.test('when the leading tab freezes, another one takes over', async t => {
    const other = await ada.context.newPage()
    await open(other, app.url, conversationId)
    await other.keyboard.press('Control+Shift+f')
    await drawerOf(other).getByText('leader: another tab').waitFor()
    await drawerOf(other).getByRole('button', { name: 'Freeze the leader' }).click()
    await drawerOf(other).getByText('leader: this tab').waitFor()
    await write(other, 'by the new leader')
    await landed(bob.page, 'by the new leader').waitFor()
    await drawer.getByText('leader: another tab').waitFor()
    await landed(ada.page, 'by the new leader').waitFor()
    t.same(await shown(other), await shown(ada.page))
  })

  await t.test('nothing went wrong in the pages', t => {
    t.same(ada.problems, [])
    t.same(bob.problems, [])
    t.end()
  })

  function drawerOf (page: Page) {
    return page.getByRole('region', { name: 'Fault drawer' })
  }
}
