import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { createClient, memoryStorage } from '../../src/index.ts'
import { socketTransport } from '../../src/network/socket.ts'
import type { Client, Message, Readable } from '../../src/types.ts'
import { isConnected, newClient, when } from '../helpers/clients.ts'

const { url } = await startApp(t)
const texts = (messages: Readable<readonly Message[]>) => messages.get().map(({ text }) => text).join()
const shows = (messages: Readable<readonly Message[]>, expected: string) =>
  when(messages, () => texts(messages) === expected)

/** Another device of the same user. */
async function deviceOf (client: Client, options: Parameters<typeof createClient>[0] = {}): Promise<Client> {
  const device = createClient({ url, socket: socketTransport(), ...options })
  t.teardown(() => device.close())
  await device.login({ username: client.session.get().user!.username, password: 'password-1' })
  return device
}

async function talk (count: number) {
  const storage = memoryStorage()
  const [ada, bob] = [await newClient(t, url, { storage }), await newClient(t, url)]
  await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
  for (let number = 1; number <= count; number++) await bob.direct(ada.id).send(`m${number}`)
  await when(bob.outbox, outbox => outbox.length === 0)
  const chat = ada.direct(bob.id)
  const timeline = chat.timeline({ at: 'newest' })
  await when(timeline.messages, messages => messages.length === count)
  return { ada, bob, chat, timeline, storage }
}

const pick = (messages: Readable<readonly Message[]>, ...named: string[]) =>
  messages.get().filter(({ text }) => named.includes(text))

t.test('C9: messages you clear or delete for yourself leave your other devices, and stay for others', async t => {
  const { ada, bob, chat, timeline } = await talk(6)
  const phone = await deviceOf(ada)
  await phone.start()
  const theirs = phone.direct(bob.id)
  const small = theirs.timeline({ at: 'newest' })
  await shows(small.messages, 'm1,m2,m3,m4,m5,m6')
  await chat.hide(pick(timeline.messages, 'm4', 'm6'))
  t.equal(texts(timeline.messages), 'm1,m2,m3,m5', 'here at once')
  await shows(small.messages, 'm1,m2,m3,m5')
  const summary = await when(theirs.summary, summary => summary?.unreadCount === 4)
  t.match(summary, { lastMessage: { text: 'm5' }, settings: { clearedSeq: 0, hiddenSeqs: [4, 6] } })

  await theirs.clear()
  await shows(timeline.messages, '')
  const cleared = await when(chat.summary, summary => summary?.unreadCount === 0)
  t.match(cleared, { lastMessage: undefined, settings: { clearedSeq: 6, hiddenSeqs: [] } })
  t.equal(timeline.hasOlder.get(), false)
  await bob.direct(ada.id).send('m7')
  await shows(timeline.messages, 'm7')
  await shows(small.messages, 'm7')
  t.match(await ada.search({ text: 'm5' }), { items: [] })
  const bobs = bob.direct(ada.id).timeline({ at: 'newest' })
  await shows(bobs.messages, 'm1,m2,m3,m4,m5,m6,m7')
})

t.test('C9: offline they disappear at once, also after a restart, and the server learns of it later', async t => {
  const { ada, bob, chat, timeline, storage } = await talk(5)
  await ada.stop()
  await chat.hide(pick(timeline.messages, 'm5'))
  t.equal(texts(timeline.messages), 'm1,m2,m3,m4')
  await when(chat.summary, summary => summary?.lastMessage?.text === 'm4')
  await chat.hide(pick(timeline.messages, 'm2'))
  t.match(ada.outbox.get(), [{ type: 'settings', state: 'queued' }], 'one operation for both')
  await ada.close()

  const again = createClient({ url, storage, socket: socketTransport() })
  t.teardown(() => again.close())
  await again.resume()
  const reopened = again.direct(bob.id).timeline({ at: 'newest' })
  await shows(reopened.messages, 'm1,m3,m4')
  await when(again.direct(bob.id).summary, summary => summary?.lastMessage?.text === 'm4')
  await again.start()
  await when(again.outbox, outbox => outbox.length === 0)
  t.equal(texts(reopened.messages), 'm1,m3,m4')

  const fresh = await deviceOf(again)
  await fresh.start()
  await shows(fresh.direct(bob.id).timeline({ at: 'newest' }).messages, 'm1,m3,m4')
  await again.stop()
  await again.direct(bob.id).clear()
  t.equal(texts(reopened.messages), '')
  t.match(again.direct(bob.id).summary.get(), { unreadCount: 0, lastMessage: undefined })
  t.equal(reopened.hasOlder.get(), false)
  await again.direct(bob.id).send('after')
  t.equal(texts(reopened.messages), 'after', 'what one writes then is shown')
})

t.test('a message that the server does not let you hide is shown again, with the error', async t => {
  const { ada } = await talk(1)
  const timeline = ada.common.timeline({ at: 'newest' })
  await ada.common.send('for all')
  await when(timeline.messages, ([message]) => message?.status === 'sent')
  const failed = new Promise(resolve => ada.on('failed', resolve))
  await ada.common.hide(timeline.messages.get())
  t.match(await failed, { type: 'settings', error: { code: 'NOT_ALLOWED' } })
  await shows(timeline.messages, 'for all')
  await ada.common.configure({ archived: true })
  await when(ada.common.summary, summary => summary?.settings.archived === true)
  await when(ada.outbox, outbox => outbox.length === 0)
  t.pass('what was refused is not tried again with the next change')
})

t.test('settings outlast leaving a room, as on the server', async t => {
  const { ada, bob } = await talk(1)
  const { id } = await bob.rooms.create({ name: 'Garden', history: 'all' })
  for (const text of ['one', 'two', 'three']) await bob.room(id).send(text)
  await when(bob.outbox, outbox => outbox.length === 0)
  const chat = await ada.rooms.join(id)
  const timeline = chat.timeline({ at: 'newest' })
  await shows(timeline.messages, 'one,two,three')
  await chat.configure({ notify: 'none' })
  await chat.hide(pick(timeline.messages, 'two'))
  await when(ada.outbox, outbox => outbox.length === 0)
  await ada.rooms.leave(id)
  await when(chat.summary, summary => summary === undefined)
  await ada.rooms.join(id)
  await shows(timeline.messages, 'one,three')
  t.match(chat.summary.get(), { settings: { notify: 'none', hiddenSeqs: [2] } })
})
