import t from 'tap'
import { startApp } from '../../../test/helpers/app.ts'
import { isConnected, newClient, when } from './helpers/clients.ts'

const texts = (messages: ReadonlyArray<{ text: string }>) => messages.map(({ text }) => text)

for (const live of [true, false]) {
  t.test(`two clients chat ${live ? 'by socket' : 'by long polls'}`, async t => {
    const { url } = await startApp(t)
    const [ada, bob] = [await newClient(t, url, { live }), await newClient(t, url, { live })]
    await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
    t.equal(ada.connection.get().state, live ? 'live' : 'polling')

    const [adas, bobs] = [ada.direct(bob.id), bob.direct(ada.id)]
    const [seen, got] = [adas.timeline(), bobs.timeline()]
    const queued = await adas.send('hello')
    t.match(queued, { text: 'hello', isOwn: true, conversationId: adas.id })
    t.equal(seen.messages.get()[0]?.key, queued.key, 'shown at once')
    await when(got.messages, messages => messages.length === 1)
    t.strictSame(texts(got.messages.get()), ['hello'])
    const [sent] = await when(seen.messages, messages => messages[0]?.status === 'sent')
    t.equal(sent?.key, queued.key, 'under the same key')

    const [list] = await when(bob.conversations, list => list[0]?.unreadCount === 1)
    t.match(list, { id: bobs.id, kind: 'direct', userId: ada.id, lastMessage: { text: 'hello' } })
    t.match(list?.title, /^Full client_/)

    await bobs.markRead(got.messages.get()[0])
    await when(bob.conversations, list => list[0]?.unreadCount === 0)
    await when(seen.messages, ([message]) => message?.readBy.includes(bob.id) === true)

    await bobs.react(got.messages.get()[0]!, '👍', true)
    await when(seen.messages, ([message]) => message?.reactions[0]?.count === 1)
    await adas.edit(seen.messages.get()[0]!, 'hello!')
    await when(got.messages, ([message]) => message?.text === 'hello!')
    await adas.delete(seen.messages.get()[0]!)
    await when(got.messages, ([message]) => message?.isDeleted === true)
    await when(ada.outbox, outbox => outbox.length === 0)
  })
}

t.test('users create, join, write in, read back and leave a room', async t => {
  const { url } = await startApp(t)
  const [ada, bob] = [await newClient(t, url), await newClient(t, url)]
  await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
  const room = await ada.rooms.create({ name: 'Garden', history: 'all' })
  const chat = ada.room(room.id)
  await when(chat.summary, summary => summary?.title === 'Garden' && summary.role === 'owner')
  for (let number = 1; number <= 120; number++) await chat.send(`message ${number}`)
  await when(ada.outbox, outbox => outbox.length === 0)

  const theirs = await bob.rooms.join(room.id)
  const timeline = theirs.timeline({ at: 'newest' })
  await timeline.ready
  t.equal(timeline.messages.get().at(-1)?.text, 'message 120')
  while (timeline.hasOlder.get()) await timeline.loadOlder()
  t.strictSame(texts(timeline.messages.get()), Array.from({ length: 120 }, (_, index) => `message ${index + 1}`), 'in order, each once')

  await timeline.jumpTo(20)
  t.ok(timeline.messages.get().some(({ seq }) => seq === 20))
  while (timeline.hasNewer.get()) await timeline.loadNewer()
  t.equal(timeline.messages.get().at(-1)?.text, 'message 120')

  await when(theirs.members, members => members.length === 2)
  await bob.rooms.leave(room.id)
  await when(bob.conversations, list => list.every(({ id }) => id !== theirs.id))
  t.strictSame(timeline.messages.get(), [])
})
