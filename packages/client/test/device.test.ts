import t from 'tap'
import { startApp } from '../../../test/helpers/app.ts'
import { createClient, memoryStorage } from '../src/index.ts'
import { indexedDbStorage } from '../src/storage/indexeddb.ts'
import { socketTransport } from '../src/network/socket.ts'
import type { ClientOptions } from '../src/types.ts'
import { isConnected, when } from './helpers/clients.ts'
import { installLocks } from './helpers/tabs.ts'

t.teardown(installLocks())
const { url, register } = await startApp(t)
let made = 0

/** An account's name, and what makes clients of it that share a storage. */
async function account (t: { teardown: (end: () => unknown) => void }) {
  const username = `device_${made++}`
  const name = `${username} ${process.pid}`
  const { id } = await register(username)
  const login = { username, password: 'password-1' }
  const tab = (options: ClientOptions = {}) => {
    const client = createClient({ url, socket: socketTransport(), storage: indexedDbStorage({ name }), ...options })
    t.teardown(() => client.close())
    return client
  }
  return { id, login, tab }
}

const isLive = ({ state }: { state: string }) => state === 'live'

t.test('a client that is stopped and started at once is connected, and says so', async t => {
  const { login, tab } = await account(t)
  const client = tab()
  await client.login(login)
  await client.start()
  await when(client.connection, isLive)
  for (let round = 0; round < 3; round++) {
    void client.stop()
    void client.start()
    void client.stop()
    await client.start()
    await when(client.connection, isLive)
    await client.sync()
    t.equal(client.connection.get().state, 'live')
  }
})

t.test('what is called one after another is done one after another, whatever it waits for', async t => {
  const { id, login, tab } = await account(t)
  const client = tab()
  await client.login(login)
  await Promise.all([client.logout(), client.login(login), client.stop(), client.resume(), client.start()])
  await when(client.connection, isLive)
  t.match(client.session.get(), { state: 'signedIn', user: { id } })
  await Promise.all([client.logout(), client.login(login), client.resume(), client.logout()])
  t.equal(client.session.get().state, 'signedOut')
  await t.rejects(client.start(), { code: 'NO_SESSION' })
})

t.test('a tab that syncs without being started leaves the lead to the one that has it', async t => {
  const { login, tab } = await account(t)
  const first = tab()
  await first.login(login)
  await first.start()
  await when(first.connection, isLive)
  const second = tab()
  await second.resume()
  await second.sync()
  await first.common.send('one')
  await when(first.outbox, outbox => outbox.length === 0)
  t.match(first.connection.get(), { state: 'live', leads: true })
  t.equal(first.inspect().tab.term, 1)
  await first.stop()
  await second.sync()
  t.match(second.common.summary.get(), { lastMessage: { text: 'one' } })
  await first.start()
  await when(first.connection, ({ leads, state }) => leads && state === 'live')
})

t.test('while the leading tab is offline, a sync of another one takes nothing away from it', async t => {
  const { login, tab } = await account(t)
  let isOffline = false
  const fetch: typeof globalThis.fetch = async (...given) => {
    if (isOffline) throw new TypeError('fetch failed')
    return await globalThis.fetch(...given)
  }
  const [first, second] = [tab({ fetch, socket: undefined }), tab({ fetch, socket: undefined })]
  await first.login(login)
  await second.resume()
  isOffline = true
  await first.start()
  await when(first.connection, ({ state, leads }) => state === 'offline' && leads)
  await second.start()
  await when(second.connection, ({ state }) => state === 'offline')
  await t.rejects(second.sync(), { code: 'OFFLINE' })
  isOffline = false
  await first.start()
  await when(first.connection, isConnected)
  await when(second.connection, isConnected)
  await second.common.send('two')
  await when(second.outbox, outbox => outbox.length === 0)
  t.ok(first.connection.get().leads)
})

t.test('a tab whose lead was taken by another storage\'s writer leads again', async t => {
  const { login, tab } = await account(t)
  const [first, second] = [tab(), tab({ tabs: false })]
  await first.login(login)
  await first.start()
  await when(first.connection, isLive)
  await second.resume()
  await second.sync()
  await first.common.send('three')
  await when(first.outbox, outbox => outbox.length === 0)
  await when(first.connection, ({ leads, state }) => leads && state === 'live')
})

t.test('a call that another tab answers ends when its signal is aborted', async t => {
  const { login, tab } = await account(t)
  let hold = false
  const fetch: typeof globalThis.fetch = async (...given) => {
    if (hold) await new Promise<never>(() => {})
    return await globalThis.fetch(...given)
  }
  const first = tab({ fetch, socket: undefined })
  await first.login(login)
  await first.start()
  await when(first.connection, isConnected)
  const second = tab({ fetch, socket: undefined })
  await second.resume()
  await second.start()
  await when(second.connection, isConnected)
  hold = true
  for (const client of [second, first]) {
    const ended = new AbortController()
    const synced = client.sync({ signal: ended.signal })
    ended.abort()
    await t.rejects(synced, { code: 'ABORTED' })
    await t.rejects(client.sync({ signal: ended.signal }), { code: 'ABORTED' })
  }
})

t.test('what another tab stores while one is opened is shown there', async t => {
  const { login, tab } = await account(t)
  const first = tab()
  await first.login(login)
  const chat = first.common
  for (let round = 0; round < 10; round++) {
    const second = tab()
    const resumed = second.resume()
    for (let number = 0; number < 20; number++) {
      chat.draft.set(`${round} ${number}`)
      await new Promise(resolve => setImmediate(resolve))
    }
    await resumed
    await when(chat.draft, text => text === `${round} 19`)
    await when(second.common.draft, text => text === `${round} 19`)
    await second.close()
  }
})

t.test('a draft that is taken back at once is gone', async t => {
  const { login, tab } = await account(t)
  const client = tab()
  await client.login(login)
  const { draft } = client.common
  draft.set('x')
  draft.set('')
  await client.room('another').send('in the same queue')
  t.equal(draft.get(), '')
})

t.test('signing out leaves nothing, though something is still being stored', async t => {
  const { id, login, tab } = await account(t)
  const storage = memoryStorage()
  const client = tab({ storage, auth: undefined })
  await client.login(login)
  const written = client.common.send('the last word')
  const ended = client.logout()
  const late = Array.from({ length: 50 }, async () => {
    await new Promise(resolve => setImmediate(resolve))
    client.common.draft.set(`late ${Math.random()}`)
  })
  await Promise.all([written, ended, ...late])
  const left = await (await storage.open(id)).load()
  t.match(left, { operations: [], drafts: [], conversations: [] })
})
