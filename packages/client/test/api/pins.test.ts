import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { createClient } from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import type { Message } from '../../src/types.ts'
import { isConnected, newClient, when } from '../helpers/clients.ts'

const { url } = await startApp(t)
const [ada, bob] = [await newClient(t, url), await newClient(t, url)]
await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
const texts = (messages: readonly Message[]) => messages.map(({ text }) => text).join()

t.test('a pinned message is shown to the other user, with later edits, until it is unpinned or deleted', async t => {
  const [chat, hers] = [ada.direct(bob.id), bob.direct(ada.id)]
  const timeline = chat.timeline()
  for (const text of ['one', 'two']) await chat.send(text)
  await when(timeline.messages, messages => messages.length === 2 && messages.every(({ status }) => status === 'sent'))
  const [one, two] = timeline.messages.get()
  await chat.pin(two!, true)
  await chat.pin(one!, true)
  await when(hers.pins, messages => texts(messages) === 'two,one')
  await chat.edit(one!, 'one, edited')
  await when(hers.pins, messages => texts(messages) === 'two,one, edited')
  await chat.delete(two!)
  await when(hers.pins, messages => texts(messages) === 'one, edited')
  await hers.pin(hers.pins.get()[0]!, false)
  t.same(await when(chat.pins, messages => messages.length === 0), [])
  timeline.close()
})

t.test('pinned messages that are not on the device are read from the server', async t => {
  const room = await ada.rooms.create({ name: 'pins' })
  const chat = ada.conversation(room.conversationId)
  const timeline = chat.timeline()
  await chat.send('long ago')
  await when(timeline.messages, ([message]) => message?.status === 'sent')
  await chat.pin(timeline.messages.get()[0]!, true)
  for (let n = 0; n < 60; n++) await chat.send(`later ${n}`)
  await when(timeline.messages, messages => messages.at(-1)?.text === 'later 59' && messages.at(-1)?.status === 'sent')
  const joined = await bob.rooms.join(room.id)
  const [pinned] = await when(joined.pins, messages => messages.length > 0)
  t.equal(pinned!.text, 'long ago')
  timeline.close()
})

t.test('pinned messages that were seen are shown after a new start without a connection', async t => {
  const storage = memoryStorage()
  const eve = await newClient(t, url, { storage })
  await when(eve.connection, isConnected)
  const room = await ada.rooms.create({ name: 'offline pins' })
  const chat = ada.conversation(room.conversationId)
  const timeline = chat.timeline()
  for (const text of ['long ago', 'to be cleared']) await chat.send(text)
  await when(timeline.messages, messages => messages.length === 2 && messages.every(({ status }) => status === 'sent'))
  const [first, second] = timeline.messages.get()
  for (const message of [first!, second!]) await chat.pin(message, true)
  for (let n = 0; n < 60; n++) await chat.send(`later ${n}`)
  await when(timeline.messages, messages => messages.at(-1)?.text === 'later 59' && messages.at(-1)?.status === 'sent')
  const joined = await eve.rooms.join(room.id)
  await when(joined.pins, messages => texts(messages) === 'long ago,to be cleared')
  await chat.edit(first!, 'long ago, edited')
  await chat.delete(second!)
  await when(joined.pins, messages => texts(messages) === 'long ago, edited')
  await eve.close()

  const again = createClient({ url, storage, tabs: false, fetch: async () => { throw new TypeError('no connection') } })
  t.teardown(() => again.close())
  await again.resume()
  const pins = await when(again.conversation(room.conversationId).pins, messages => messages.length > 0)
  t.equal(texts(pins), 'long ago, edited')
  timeline.close()
})

t.test('pinning without the right fails the operation', async t => {
  const room = await ada.rooms.create({ name: 'hers' })
  const joined = await bob.rooms.join(room.id)
  await joined.send('mine')
  const timeline = joined.timeline()
  await when(timeline.messages, messages => messages.at(-1)?.status === 'sent')
  await joined.pin(timeline.messages.get().at(-1)!, true)
  const [failed] = await when(bob.outbox, ([first]) => first?.state === 'failed')
  t.match(failed, { type: 'pin', error: { code: 'NOT_ALLOWED' } })
  await joined.cancel(failed!)
  timeline.close()
})

t.test('a change of another message that waits for a connection changes nothing of a pinned one', async t => {
  const room = await ada.rooms.create({ name: 'pins and edits' })
  const chat = ada.conversation(room.conversationId)
  const timeline = chat.timeline()
  for (const text of ['pinned', 'other']) await chat.send(text)
  const isSent = (messages: readonly Message[]) =>
    messages.filter(({ type, status }) => type === 'text' && status === 'sent').length === 2
  const [pinned, other] = (await when(timeline.messages, isSent)).filter(({ type }) => type === 'text')
  await chat.pin(pinned!, true)
  await when(chat.pins, messages => texts(messages) === 'pinned')
  await ada.stop()
  await chat.edit(other!, 'other, edited')
  t.equal(texts(chat.pins.get()), 'pinned')
  await chat.delete(other!)
  t.match(chat.pins.get(), [{ text: 'pinned', isDeleted: false, status: 'sent' }])
  await ada.start()
  await when(ada.outbox, outbox => outbox.length === 0)
  timeline.close()
})
