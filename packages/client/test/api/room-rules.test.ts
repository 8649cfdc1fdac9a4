import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { isConnected, newClient, when } from '../helpers/clients.ts'

const { url } = await startApp(t)
const [ada, bob] = [await newClient(t, url), await newClient(t, url)]
await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
const name = (id: string) => ada.users.get(id).get()?.fullName ?? ''

t.test('an announcement comes with its event, is not unread, and is not activity', async t => {
  const room = await ada.rooms.create({ name: 'den', systemMessages: true })
  const chat = ada.conversation(room.conversationId)
  const timeline = chat.timeline()
  t.match(room, { postRole: 'member', slowModeS: 0, systemMessages: true })
  await when(timeline.messages, messages => messages.length === 1)
  const before = chat.summary.get()!.lastActivityAt
  await bob.rooms.join(room.id)
  const [, joined] = await when(timeline.messages, messages => messages.length === 2)
  const system = { event: 'joined', userId: bob.id, by: bob.id }
  t.match(joined, { type: 'system', text: `${name(bob.id)} joined`, system })
  const { unreadCount, lastActivityAt, lastMessage } = chat.summary.get()!
  t.same([unreadCount, lastActivityAt, lastMessage?.id], [0, before, joined!.id])
  timeline.close()
})

t.test('who may send is known everywhere, and a message waits here until slow mode lets it through', async t => {
  const room = await ada.rooms.create({ name: 'square', slowModeS: 1 })
  const chat = await bob.rooms.join(room.id)
  const timeline = chat.timeline()
  await when(chat.summary, summary => summary?.slowModeS === 1)
  await chat.send('one')
  await chat.send('two')
  await when(timeline.messages, messages => messages.filter(({ status }) => status === 'sent').length === 2)
  await ada.rooms.update(room.id, { postRole: 'moderator' })
  await when(chat.summary, summary => summary?.postRole === 'moderator')
  await chat.send('three')
  const failed = await when(timeline.messages, messages => messages.at(-1)?.status === 'failed')
  t.match(failed.at(-1), { text: 'three', error: { code: 'READ_ONLY' } })
  await ada.rooms.update(room.id, { postRole: 'member' })
  await when(chat.summary, summary => summary?.postRole === 'member')
  await chat.retry(failed.at(-1)!)
  await when(timeline.messages, messages => messages.at(-1)?.status === 'sent')
  timeline.close()
})
