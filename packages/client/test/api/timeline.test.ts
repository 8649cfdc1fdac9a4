import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { isConnected, newClient, when } from '../helpers/clients.ts'

const seqs = (messages: ReadonlyArray<{ seq?: number | undefined }>) => messages.map(({ seq }) => seq)

t.test('a window in the past does not move when a message arrives, and continues without a gap', async t => {
  const { url } = await startApp(t)
  const [ada, bob] = [await newClient(t, url), await newClient(t, url)]
  await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
  for (let number = 1; number <= 150; number++) await ada.direct(bob.id).send(`message ${number}`)
  await when(ada.outbox, outbox => outbox.length === 0)

  const chat = bob.direct(ada.id)
  await when(chat.summary, summary => summary?.lastMessage?.text === 'message 150')
  const timeline = chat.timeline({ at: 30, pageSize: 20 })
  await timeline.ready
  const before = seqs(timeline.messages.get())
  t.ok(before.includes(30))
  t.equal(timeline.hasNewer.get(), true)

  await ada.direct(bob.id).send('message 151')
  await when(chat.summary, summary => summary?.lastMessage?.text === 'message 151')
  t.strictSame(seqs(timeline.messages.get()), before, 'no snap')
  while (timeline.hasNewer.get()) await timeline.loadNewer()
  const all = seqs(timeline.messages.get())
  t.strictSame(all, Array.from({ length: all.length }, (_, index) => all[0]! + index), 'no hole')
  t.equal(all.at(-1), 151)

  await timeline.jumpTo('newest')
  await ada.direct(bob.id).send('message 152')
  await when(timeline.messages, messages => messages.at(-1)?.text === 'message 152')
  timeline.close()
})

t.test('a window opens at the first unread message, and its line stays while you read', async t => {
  const { url } = await startApp(t)
  const [ada, bob] = [await newClient(t, url), await newClient(t, url)]
  await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
  for (let number = 1; number <= 5; number++) await ada.direct(bob.id).send(`message ${number}`)
  await when(ada.outbox, outbox => outbox.length === 0)
  const chat = bob.direct(ada.id)
  await when(chat.summary, summary => summary?.unreadCount === 5)
  const first = chat.timeline()
  await first.ready
  await chat.markRead(first.messages.get()[2])
  await when(chat.summary, summary => summary?.unreadCount === 2)
  const timeline = chat.timeline()
  await timeline.ready
  t.equal(timeline.unreadAfter, 3)
  await chat.markRead()
  await when(chat.summary, summary => summary?.unreadCount === 0)
  t.equal(timeline.unreadAfter, 3, 'until one leaves')
  t.strictSame(seqs(timeline.messages.get()), [1, 2, 3, 4, 5])
})

t.test('settings that the server refuses fail with its code, and you can retry or cancel them', async t => {
  const { url } = await startApp(t)
  const ada = await newClient(t, url)
  await when(ada.connection, isConnected)
  const failed: string[] = []
  ada.on('failed', ({ type, error }) => { failed.push(`${type} ${error?.code}`) })
  const stranger = ada.room('f'.repeat(24))
  await stranger.configure({ archived: true })
  const [operation] = await when(ada.outbox, ([operation]) => operation?.state === 'failed')
  t.match(operation, { type: 'settings', state: 'failed', error: { retryable: false } })
  t.equal(failed.length, 1)
  await stranger.retry(operation!)
  await when(ada.outbox, ([operation]) => operation?.state === 'failed' && operation.attempts === 2)
  t.equal(failed.length, 2, 'it was tried again')
  await stranger.cancel(operation!)
  t.strictSame(ada.outbox.get(), [])
})

t.test('queued operations can be changed and cancelled, and retried after a refusal', async t => {
  const { url } = await startApp(t)
  const [ada, bob] = [await newClient(t, url), await newClient(t, url)]
  await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
  const chat = ada.direct(bob.id)
  const timeline = chat.timeline()
  await ada.stop()
  const [first, second] = [await chat.send('first'), await chat.send('second')]
  await chat.edit(first, 'first, corrected')
  await chat.delete(second)
  await chat.react(first, '👍', true)
  t.match(timeline.messages.get(), [{ text: 'first, corrected', status: 'queued', reactions: [{ emoji: '👍', mine: true }] }])
  await ada.start()
  await when(ada.outbox, outbox => outbox.length === 0)
  const [sent] = await when(timeline.messages, ([message]) => message?.status === 'sent')
  t.match(sent, { text: 'first, corrected', key: first.key, reactions: [{ emoji: '👍', count: 1 }] })

  await bob.users.block(ada.id, true)
  const refused = await chat.send('may I?')
  const failed = await when(timeline.messages, messages => messages.some(({ status }) => status === 'failed'))
  t.match(failed.at(-1), { key: refused.key, error: { code: 'NOT_ALLOWED', retryable: false } })
  await bob.users.block(ada.id, false)
  await chat.retry(failed.at(-1)!)
  await when(timeline.messages, messages => messages.at(-1)?.status === 'sent' && messages.at(-1)?.key === refused.key)
})
