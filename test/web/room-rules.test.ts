import t from 'tap'
import { landed, noBrowser, open, twoPeople, until, write } from './browser.ts'

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, ada, bob } = await twoPeople(t)
  const tokenOf = async (username: string) =>
    (await app.call('POST', '/api/auth/login', { body: { username, password: 'password-1' } })).body.token as string
  let roomId = ''

  await t.test('the room says who opened it and who was added, in quiet lines that are never unread', async t => {
    await ada.page.getByRole('button', { name: 'Rooms' }).click()
    await ada.page.getByRole('tab', { name: 'Create' }).click()
    await ada.page.getByLabel('Name').fill('The den')
    await ada.page.getByRole('combobox').fill('bob')
    await ada.page.getByRole('option', { name: /Bob Test/ }).click()
    await ada.page.getByRole('button', { name: 'Create room' }).click()
    await ada.page.locator('.msg.system').getByText('Ada Test added Bob Test').waitFor()
    const told = await ada.page.locator('.msg.system').allInnerTexts()
    t.same(told, ['Ada Test created the room', 'Ada Test added Bob Test'])
    const row = bob.page.getByRole('link', { name: /The den/ })
    await row.getByText('Ada Test added Bob Test').waitFor()
    t.equal(await row.locator('.badge').count(), 0)
    await row.click()
    await bob.page.locator('.msg.system').first().waitFor()
    t.equal(await bob.page.locator('.msg.system button').count(), 0, 'there is nothing to do with them')
    const { body } = await app.call('GET', '/api/rooms', { token: await tokenOf('ada') })
    roomId = body.rooms[0].roomId
  })

  const settings = async (change: () => Promise<void>) => {
    await ada.page.getByRole('main').getByRole('button', { name: 'More', exact: true }).first().click()
    await ada.page.getByRole('menuitem', { name: 'Room settings' }).click()
    await change()
    await ada.page.getByRole('button', { name: 'Save' }).click()
    await until(ada.page, 'document.querySelector("dialog[open]") === null')
  }

  await t.test('in slow mode a member is told how long to wait, and may send when that is over', async t => {
    await settings(async () => { await ada.page.getByRole('radio', { name: '10 s' }).click() })
    await until(bob.page, 'document.getElementById("composer") !== null')
    await write(bob.page, 'the first')
    await landed(bob.page, 'the first').waitFor()
    await bob.page.getByRole('timer').getByText(/Slow mode: \d+ seconds? left/).waitFor()
    await bob.page.locator('#composer').fill('the second')
    t.equal(await bob.page.getByRole('button', { name: 'Send' }).isDisabled(), true)
    const [token, body] = [await tokenOf('ada'), { slowModeS: 1 }]
    const shorter = await app.call('PATCH', `/api/rooms/${roomId}`, { token, body })
    t.equal(shorter.status, 200)
    await bob.page.getByRole('timer').waitFor({ state: 'detached' })
    await bob.page.locator('#composer').press('Enter')
    await landed(ada.page, 'the second').waitFor()
    for (const text of ['one', 'two']) {
      await write(ada.page, text)
      await landed(bob.page, text).waitFor()
    }
    t.equal(await ada.page.getByRole('timer').count(), 0, 'who leads the room does not wait')
  })

  await t.test('a room of announcements shows its members no composer', async t => {
    await settings(async () => { await ada.page.getByRole('switch', { name: 'Announcements only' }).click() })
    await bob.page.getByText('Only the owner and moderators can write here.').waitFor()
    t.equal(await bob.page.locator('#composer').count(), 0)
    await write(ada.page, 'hear, hear')
    await landed(bob.page, 'hear, hear').waitFor()
    await settings(async () => { await ada.page.getByRole('switch', { name: 'Announcements only' }).click() })
    await bob.page.locator('#composer').waitFor()
  })

  await t.test('a new name and a pin are announced too', async () => {
    await settings(async () => { await ada.page.getByLabel('Name').fill('The cave') })
    await bob.page.locator('.msg.system').getByText('Ada Test named the room “The cave”').waitFor()
    await open(ada.page, app.url, `room_${roomId}`)
    await landed(ada.page, 'hear, hear').hover()
    await landed(ada.page, 'hear, hear').getByRole('button', { name: 'More' }).click()
    await ada.page.getByRole('menuitem', { name: 'Pin for everyone' }).click()
    await bob.page.locator('.msg.system').getByText('Ada Test pinned a message').waitFor()
  })

  await t.test('many who come one after the other are one line, which unfolds', async t => {
    const token = await tokenOf('ada')
    for (const name of ['Cleo', 'Dan', 'Eve']) {
      const { id } = await app.register(name.toLowerCase(), { fullName: `${name} Test` })
      await app.call('PUT', `/api/rooms/${roomId}/members/${id}`, { token, body: {} })
    }
    const folded = bob.page.getByRole('button', { name: 'Ada Test added Cleo, Dan, and Eve' })
    await folded.waitFor()
    t.equal(await bob.page.getByText('Ada Test added Cleo Test').count(), 0)
    await folded.click()
    await bob.page.getByText('Ada Test added Cleo Test').waitFor()
    t.equal(await bob.page.locator('.msg.system').last().locator('p').count(), 3)
    t.same([...ada.problems, ...bob.problems], [])
  })
}
