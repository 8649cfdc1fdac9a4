import 'fake-indexeddb/auto'
import t from 'tap'
import { startApp } from '../../../../test/helpers/app.ts'
import { indexedDbStorage } from '../../src/storage/indexeddb.ts'
import { isConnected, newClient, when } from '../helpers/clients.ts'

/** A device that is full: IndexedDB refuses whatever it is given, as browsers do. */
let isFull = false
interface Store { put: (...given: unknown[]) => unknown, add: (...given: unknown[]) => unknown }
const { prototype } = (globalThis as unknown as { IDBObjectStore: { prototype: Store } }).IDBObjectStore
for (const name of ['put', 'add'] as const) {
  const write = prototype[name]
  prototype[name] = function (...given) {
    if (isFull) throw new DOMException('The quota has been exceeded', 'QuotaExceededError')
    return write.apply(this, given)
  }
}

t.test('on a full device nothing is lost: the client says so, and all is there when there is space', async t => {
  const { url } = await startApp(t)
  const storage = indexedDbStorage({ name: 'full' })
  const ada = await newClient(t, url, { storage, tabs: false, random: () => Math.random() / 20 })
  const bob = await newClient(t, url)
  await Promise.all([when(ada.connection, isConnected), when(bob.connection, isConnected)])
  const chat = ada.direct(bob.id)
  const timeline = chat.timeline()
  await chat.send('before')
  await when(timeline.messages, ([message]) => message?.status === 'sent')
  await when(ada.outbox, outbox => outbox.length === 0)
  chat.draft.set('kept')
  await when(chat.draft, draft => draft === 'kept')

  const told = new Promise(resolve => ada.on('error', resolve))
  isFull = true
  await t.rejects(chat.send('too much'), { code: 'STORAGE', retryable: true })
  t.match(await told, { code: 'STORAGE', message: /quota/ })
  t.equal(chat.draft.get(), 'kept', 'what was not stored ends no draft')
  t.strictSame(timeline.messages.get().map(({ text }) => text), ['before'], 'and is not shown')
  await bob.direct(ada.id).send('from Bob')
  await when(ada.connection, ({ error }) => error?.code === 'STORAGE')
  t.strictSame(timeline.messages.get().map(({ text }) => text), ['before'], 'nor is what came')

  isFull = false
  await when(timeline.messages, messages => messages.at(-1)?.text === 'from Bob')
  await chat.send('now')
  await when(timeline.messages, messages => messages.at(-1)?.text === 'now' && messages.at(-1)?.status === 'sent')
  t.equal(timeline.messages.get().length, 3)
})
