import t from 'tap'
import { dm, landed, noBrowser, open, twoPeople, write } from './browser.ts'

if (noBrowser !== undefined) t.plan(0, noBrowser)
else {
  const { app, ada, bob } = await twoPeople(t)
  const { body } = await app.call('POST', '/api/auth/login', { body: { username: 'ada', password: 'password-1' } })
  const token = body.token as string
  const { body: { room } } = await app.call('POST', '/api/rooms', { token, body: { name: 'The den' } })
  await app.call('PUT', `/api/rooms/${room.roomId}/members/${bob.id}`, { token, body: {} })
  const choose = async (text: string, item: string) => {
    await landed(ada.page, text).hover()
    await landed(ada.page, text).getByRole('button', { name: 'More' }).click()
    await ada.page.getByRole('menuitem', { name: item }).click()
  }

  await t.test('a message can be forwarded to another conversation, and is shown there as forwarded', async t => {
    await open(ada.page, app.url, dm(ada.id, bob.id))
    await write(ada.page, 'the key is under the mat')
    await landed(ada.page, 'the key is under the mat').waitFor()
    await choose('the key is under the mat', 'Forward')
    const dialog = ada.page.getByRole('dialog', { name: 'Forward' })
    await dialog.getByRole('searchbox').fill('den')
    await dialog.getByRole('button', { name: 'The den' }).click()
    await open(bob.page, app.url, room.conversationId as string)
    await landed(bob.page, 'the key is under the mat').getByText('Forwarded').waitFor()
    const { body: page } = await app.call('GET', `/api/rooms/${room.roomId}/messages`, { token })
    t.match(page.messages.at(-1), { message: 'the key is under the mat', forwarded: true, user: { _id: ada.id } })
  })

  await t.test('several messages can be forwarded together, and keep their order', async t => {
    await open(ada.page, app.url, dm(ada.id, bob.id))
    for (const text of ['first of three', 'second of three', 'third of three']) {
      await write(ada.page, text)
      await landed(ada.page, text).waitFor()
    }
    await choose('first of three', 'Select')
    await landed(ada.page, 'third of three').click()
    await landed(ada.page, 'second of three').click()
    await ada.page.getByRole('toolbar').getByRole('button', { name: 'Forward' }).click()
    const dialog = ada.page.getByRole('dialog', { name: 'Forward' })
    await dialog.getByRole('button', { name: 'The den' }).click()
    await landed(bob.page, 'third of three').getByText('Forwarded').waitFor()
    const { body: page } = await app.call('GET', `/api/rooms/${room.roomId}/messages`, { token })
    const told = (message: string) => ({ message, forwarded: true })
    t.match(page.messages.slice(-3), [told('first of three'), told('second of three'), told('third of three')])
  })

  await t.test('the users who have read a message of a room are listed', async t => {
    await open(ada.page, app.url, room.conversationId as string)
    await write(ada.page, 'who is there?')
    await landed(bob.page, 'who is there?').waitFor()
    await landed(ada.page, 'who is there?').getByRole('img', { name: 'Read' }).waitFor()
    await choose('who is there?', 'Read by')
    await ada.page.getByRole('dialog', { name: 'Read by' }).getByText('Bob Test').waitFor()
    await ada.page.keyboard.press('Escape')
    t.same([...ada.problems, ...bob.problems], [])
  })
}
