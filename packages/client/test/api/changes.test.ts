import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { createClient } from '../../src/index.ts'
import { socketTransport } from '../../src/network/socket.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import type { Storage } from '../../src/storage/storage.ts'
import type { Message, Timeline } from '../../src/types.ts'
import { isConnected, newClient, when } from '../helpers/clients.ts'

const named = (text: string) => (messages: readonly Message[]) => messages.find(message => message.text === text && message.status === 'sent') !== undefined

for (const live of [true, false]) {
  t.test(`a message you delete shows as deleted ${live ? 'by socket' : 'by polls'}: after start, reconnect and edit, and to a user who was away`, async t => {
    const { url } = await startApp(t)
    const [ada, bob] = [await newClient(t, url, { live }), await newClient(t, url, { live })]
    await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
    const chat = ada.direct(bob.id)
    const timeline = chat.timeline()
    for (const text of ['one', 'two', 'three', 'four']) await chat.send(text)
    await when(timeline.messages, messages => messages.length === 4 && messages.every(({ status }) => status === 'sent'))
    const of = (seq: number) => timeline.messages.get().find(message => message.seq === seq)!
    const gone = (timeline: Timeline, seq: number) => when(timeline.messages, messages => {
      const message = messages.find(message => message.seq === seq)
      return message?.isDeleted === true && message.status === 'sent'
    })
    await chat.delete(of(1))
    await gone(timeline, 1)
    t.pass('after a start')
    await ada.stop()
    await ada.start()
    await when(ada.connection, isConnected)
    await chat.delete(of(2))
    await gone(timeline, 2)
    t.pass('after a reconnect')
    await bob.stop()
    await chat.edit(of(3), 'three, edited')
    await when(timeline.messages, named('three, edited'))
    await chat.delete(of(4))
    await gone(timeline, 4)
    t.pass('after an edit')
    const bobs = bob.direct(ada.id).timeline()
    await bob.start()
    await gone(bobs, 4)
    await when(bobs.messages, named('three, edited'))
  })
}

t.test('what `send` returns does not contain waiting changes of another message', async t => {
  const { url } = await startApp(t)
  const ada = await newClient(t, url, { live: false })
  const timeline = ada.common.timeline()
  await ada.common.send('one')
  const [one] = await when(timeline.messages, messages => messages[0]?.status === 'sent')
  await ada.stop()
  await ada.common.edit(one!, 'one, edited')
  t.match(await ada.common.send('two'), { text: 'two', status: 'queued' })
  t.same(timeline.messages.get().map(({ text }) => text), ['one, edited', 'two'])
})

/** A network on which, once something was pushed, no sync is answered until the client waits for one or has an empty outbox. */
function slowSyncs () {
  let hasPushed = false
  let open = () => {}
  const opened = new Promise<void>(resolve => { open = resolve })
  const slow: typeof globalThis.fetch = async (input, init) => {
    const path = new URL(String(input)).pathname
    if (path.endsWith('/push')) hasPushed = true
    const isAsked = hasPushed && path.endsWith('/sync') && !String(init?.body).includes('waitMs')
    const answer = await fetch(input, init)
    if (isAsked) open()
    if (hasPushed && path.endsWith('/sync')) await opened
    return answer
  }
  return { fetch: slow, open: () => { open() } }
}

t.test('a message written and changed offline never flickers, even if the push is answered before the sync', async t => {
  const { url } = await startApp(t)
  const network = slowSyncs()
  const [ada, bob] = [await newClient(t, url, { live: false, fetch: network.fetch }), await newClient(t, url)]
  await when(ada.connection, isConnected)
  const chat = ada.direct(bob.id)
  const timeline = chat.timeline()
  await ada.stop()
  const sent = await chat.send('first')
  await chat.react(sent, '👍', true)
  const shown: string[] = []
  timeline.messages.subscribe(messages => {
    shown.push(messages.map(({ key, text, reactions: [reaction] }) => `${key === sent.key} ${text} ${reaction?.emoji} ${reaction?.count}`).join())
  })
  await ada.start()
  await when(ada.outbox, outbox => outbox.length === 0)
  network.open()
  const messages = await when(timeline.messages, ([message]) => message?.status === 'sent' && message.reactions.length > 0)
  t.match(messages, [{ text: 'first', reactions: [{ emoji: '👍', count: 1, mine: true }] }])
  t.strictSame([...new Set(shown)], ['true first 👍 1'])
})

t.test('a window contains what changed while it was being read', async t => {
  const { url } = await startApp(t)
  const memory = memoryStorage()
  let hold: Promise<void> | undefined
  let tellRead = () => {}
  const storage: Storage = {
    ...memory,
    open: async userId => {
      const account = await memory.open(userId)
      return {
        ...account,
        rows: async (...given) => {
          const rows = await account.rows(...given)
          const held = hold
          hold = undefined
          if (held !== undefined) tellRead()
          await held
          return rows
        }
      }
    }
  }
  const [ada, bob] = [await newClient(t, url, { storage }), await newClient(t, url)]
  await when(ada.connection, isConnected)
  const chat = ada.direct(bob.id)
  const timeline = chat.timeline()
  await chat.send('one')
  const [one] = await when(timeline.messages, ([message]) => message?.status === 'sent')
  await when(ada.outbox, outbox => outbox.length === 0)
  await timeline.jumpTo('newest')

  let release = () => {}
  hold = new Promise(resolve => { release = resolve })
  const isRead = new Promise<void>(resolve => { tellRead = resolve })
  const jumped = timeline.jumpTo('newest')
  await isRead
  await chat.delete(one!)
  await when(ada.outbox, outbox => outbox.length === 0)
  release()
  await jumped
  t.match(timeline.messages.get(), [{ key: one!.key, isDeleted: true, status: 'sent' }])
})

t.test('settings of a conversation reach the server and your other devices, and never flicker back', async t => {
  const { url } = await startApp(t)
  const network = slowSyncs()
  const [ada, bob] = [await newClient(t, url, { live: false, fetch: network.fetch }), await newClient(t, url)]
  await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
  await bob.direct(ada.id).send('hello')
  const chat = ada.direct(bob.id)
  await when(chat.summary, summary => summary !== undefined)
  await ada.stop()
  const mutedUntil = Date.now() + 3_600_000
  await chat.configure({ mutedUntil, notify: 'mentions' })
  await chat.configure({ pinned: true, archived: true })
  const shown: object[] = []
  chat.summary.subscribe(summary => { shown.push({ ...summary?.settings, pinnedAt: typeof summary?.settings.pinnedAt }) })
  await ada.start()
  await when(ada.outbox, outbox => outbox.length === 0)
  network.open()
  const expected = {
    mutedUntil,
    notify: 'mentions',
    archived: true,
    pinnedAt: 'number',
    markedUnread: false,
    clearedSeq: 0,
    hiddenSeqs: []
  }
  await when(ada.connection, isConnected)
  for (const settings of shown) t.strictSame(settings, expected)

  const phone = createClient({ url, socket: socketTransport() })
  t.teardown(() => phone.close())
  await phone.login({ username: ada.session.get().user!.username, password: 'password-1' })
  await phone.start()
  const { settings } = (await when(phone.direct(bob.id).summary, summary => summary?.settings.archived === true))!
  t.strictSame({ ...settings, pinnedAt: typeof settings.pinnedAt }, expected)
  await phone.direct(bob.id).configure({ mutedUntil: null, pinned: false })
  await when(chat.summary, summary => summary?.settings.mutedUntil === null && summary.settings.pinnedAt === null)
  t.match(chat.summary.get()?.settings, { notify: 'mentions', archived: true }, 'the others stay')
})
