import t from 'tap'
import { dm, landed, noBrowser, open, type Person, twoPeople, until, write } from './browser.ts'

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, ada, bob } = await twoPeople(t)
  const cleo = await app.register('cleo', { fullName: 'Cleo Test' })
  await app.call('POST', '/api/messages', { token: cleo.token, body: { receiverId: ada.id, content: 'from Cleo' } })
  await open(bob.page, app.url, dm(ada.id, bob.id))
  await write(bob.page, 'from Bob')
  await row(ada, 'Bob Test').waitFor()

  await t.test('a pinned conversation comes first', async t => {
    t.match(await titles(ada), [/^Bob/, /^Cleo/])
    await settle('Cleo Test', 'Pin to the top')
    await row(ada, 'Cleo Test').getByRole('img', { name: 'Pinned' }).waitFor()
    t.match(await titles(ada), [/^Cleo/, /^Bob/])
    await settle('Cleo Test', 'Unpin')
    await until(ada.page, 'document.querySelector(".row .flag") === null')
    t.match(await titles(ada), [/^Bob/, /^Cleo/])
  })

  await t.test('a muted conversation sends no notification, and the page’s title does not count it', async t => {
    await until(ada.page, 'document.title.startsWith("(2)")')
    await row(ada, 'Bob Test').click({ button: 'right' })
    await ada.page.getByRole('menuitem', { name: 'Mute' }).click()
    await ada.page.getByRole('menuitem', { name: 'For 8 hours' }).click()
    await row(ada, 'Bob Test').getByRole('img', { name: 'Muted' }).waitFor()
    await until(ada.page, 'document.title.startsWith("(1)")')
    const { body } = await app.call('GET', `/api/conversations/${dm(ada.id, bob.id)}`, { token: await login('ada') })
    const hours = (Date.parse(body.conversation.settings.mutedUntil as string) - Date.now()) / 3_600_000
    t.ok(hours > 7.9 && hours <= 8, `for ${hours} hours`)
    await settle('Bob Test', 'Unmute')
    await until(ada.page, 'document.title.startsWith("(2)")')
  })

  await t.test('a conversation can be marked as unread, and reading removes the mark', async t => {
    await row(ada, 'Cleo Test').click()
    await landed(ada.page, 'from Cleo').waitFor()
    await until(ada.page, 'document.title.startsWith("(1)")')
    await ada.page.getByRole('main').getByRole('button', { name: 'More' }).first().click()
    await ada.page.getByRole('menuitem', { name: 'Mark as unread' }).click()
    await row(ada, 'Cleo Test').getByRole('img', { name: 'Marked as unread' }).waitFor()
    await ada.page.waitForURL(`${app.url}/`)
    await row(ada, 'Cleo Test').click()
    await until(ada.page, 'document.querySelector(".badge.mark") === null')
    t.equal(await row(ada, 'Cleo Test').getByRole('img', { name: /unread/ }).count(), 0)
  })

  await t.test('an archived conversation leaves the list, and is in the archive', async t => {
    await settle('Cleo Test', 'Archive')
    await until(ada.page, 'document.querySelectorAll(".rows .row").length === 1')
    await ada.page.getByRole('button', { name: '1 archived' }).click()
    await row(ada, 'Cleo Test').waitFor()
    await settle('Cleo Test', 'Move out of the archive')
    await until(ada.page, 'document.querySelector(".archive") === null')
    t.match(await titles(ada), [/^Bob/, /^Cleo/])
  })

  await t.test('several messages can be selected and deleted at once', async t => {
    await open(bob.page, app.url, dm(ada.id, bob.id))
    for (const text of ['one', 'two', 'three', 'four']) await write(bob.page, text)
    await landed(bob.page, 'four').waitFor()
    await landed(bob.page, 'one').click({ modifiers: ['Control'] })
    await bob.page.getByText('1 selected').waitFor()
    await landed(bob.page, 'three').click({ modifiers: ['Shift'] })
    await bob.page.getByText('3 selected').waitFor()
    await landed(bob.page, 'two').getByRole('checkbox').click()
    await bob.page.getByText('2 selected').waitFor()
    await bob.page.keyboard.press('Delete')
    await bob.page.getByRole('dialog').getByText('Delete 2 messages for everyone?').waitFor()
    await bob.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await bob.page.locator('article .gone').nth(1).waitFor()
    await until(bob.page, 'document.activeElement.id === "composer"')
    t.same(await bob.page.locator('article .text').allInnerTexts(), ['from Bob', 'two', 'four'])
    await landed(bob.page, 'two').focus()
    await bob.page.keyboard.press('x')
    await bob.page.getByText('1 selected').waitFor()
    await bob.page.keyboard.press('Escape')
    await bob.page.locator('#composer').waitFor()
  })

  await t.test('you can delete messages for yourself, and clear a history; the other user keeps them', async t => {
    await open(ada.page, app.url, dm(ada.id, bob.id))
    await landed(ada.page, 'four').click({ button: 'right' })
    await ada.page.getByRole('menuitem', { name: 'Delete for me' }).click()
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await landed(ada.page, 'four').waitFor({ state: 'detached' })
    await landed(ada.page, 'two').click({ modifiers: ['Control'] })
    await ada.page.getByRole('button', { name: 'Delete for me' }).click()
    await ada.page.getByRole('dialog').getByText('The others keep it.').waitFor()
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await landed(ada.page, 'two').waitFor({ state: 'detached' })
    await landed(ada.page, 'from Bob').waitFor()
    await ada.page.locator('header.bar').getByRole('button', { name: 'More', exact: true }).click()
    await ada.page.getByRole('menuitem', { name: 'Clear history' }).click()
    await ada.page.getByRole('dialog').getByText('for you, on all your devices').waitFor()
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Clear history' }).click()
    await until(ada.page, 'document.querySelector("article.msg") === null')
    t.same(await bob.page.locator('article .text').allInnerTexts(), ['from Bob', 'two', 'four'])
  })

  await t.test('a link to a message leads to its place, each time, without leaving the app', async t => {
    await bob.page.evaluate('window.stayed = true')
    await write(bob.page, `see ${app.url}/c/${dm(ada.id, bob.id)}?m=1 and ${app.url}/documentation`)
    const links = landed(bob.page, 'see').locator('a')
    await links.first().waitFor()
    t.equal(await links.nth(1).getAttribute('target'), '_blank', 'what is no conversation opens beside the app')
    for (let time = 0; time < 2; time++) {
      await links.first().click()
      await landed(bob.page, 'from Bob').and(bob.page.locator('.found')).waitFor()
      await until(bob.page, 'document.querySelector(".found") === null')
    }
    t.equal(await bob.page.evaluate('window.stayed'), true)
  })

  await t.test('nothing went wrong in the pages', t => {
    t.same(ada.problems, [])
    t.same(bob.problems, [])
    t.end()
  })

  function row ({ page }: Person, name: string) {
    return page.getByRole('navigation').getByRole('link', { name: new RegExp(name) })
  }

  /** The names in the list, the common chat left out. */
  async function titles ({ page }: Person): Promise<string[]> {
    return (await page.locator('.rows .row b').allInnerTexts()).filter(title => title !== 'Common')
  }

  async function settle (name: string, item: string): Promise<void> {
    await row(ada, name).click({ button: 'right' })
    await ada.page.getByRole('menuitem', { name: item, exact: true }).click()
  }

  async function login (username: string): Promise<string> {
    const { body } = await app.call('POST', '/api/auth/login', { body: { username, password: 'password-1' } })
    return body.token as string
  }
}
