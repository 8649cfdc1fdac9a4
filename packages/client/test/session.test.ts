import t from 'tap'
import { startApp } from '../../../test/helpers/app.ts'
import { createClient, memoryStorage } from '../src/index.ts'
import { claimsOf } from '../src/network/tokens.ts'
import type { Storage } from '../src/storage/storage.ts'
import { isConnected, newClient, when } from './helpers/clients.ts'

const { url, register } = await startApp(t)
/** Time for whatever can go on by itself. */
const turns = async () => { for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve)) }
const userOf = (init: RequestInit | undefined) =>
  claimsOf(new Headers(init?.headers).get('authorization')?.slice('Bearer '.length) ?? '').id
const refusal = () => Response.json({ success: false, code: 'INVALID_TOKEN', message: 'no' }, { status: 401 })

t.test('what one user wrote is never sent in the name of another who signs in', async t => {
  const { id: bob } = await register('bob')
  let isAway = true
  let onStored = async () => {}
  const storage = memoryStorage()
  const watched: Storage = {
    ...storage,
    setSession: async session => {
      await storage.setSession(session)
      await onStored()
    }
  }
  const sent: Array<{ by: string | undefined, body: string }> = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const isPush = String(input).endsWith('/push')
    if (isPush && isAway) throw new TypeError('fetch failed')
    if (isPush) sent.push({ by: userOf(init), body: String(init?.body) })
    return await globalThis.fetch(input, init)
  }
  const client = await newClient(t, url, { live: false, storage: watched, fetch, random: () => Math.random() / 1_000 })
  await when(client.connection, isConnected)
  await client.common.send('of the first')
  // The network is there again when the other user's tokens are stored.
  onStored = async () => {
    isAway = false
    await turns()
  }
  await client.login({ username: 'bob', password: 'password-1' })
  t.equal(client.inspect().userId, bob)
  await when(client.connection, isConnected)
  await client.common.send('of the second')
  await when(client.outbox, outbox => outbox.length === 0)
  t.match(sent, [{ by: bob, body: /of the second/ }])
  t.equal(sent.length, 1)
})

t.test('a new token that comes after the user has signed out is thrown away', async t => {
  const storage = memoryStorage()
  let refreshed = () => {}
  const isRefreshed = new Promise<void>(resolve => { refreshed = resolve })
  let release = () => {}
  const isReleased = new Promise<void>(resolve => { release = resolve })
  let isRefused = false
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const path = new URL(String(input)).pathname
    if (path === '/api/rooms' && isRefused) return refusal()
    const answer = await globalThis.fetch(input, init)
    if (path === '/api/auth/refresh') {
      refreshed()
      await isReleased
    }
    return answer
  }
  await register('cid')
  const client = createClient({ url, storage, fetch })
  t.teardown(() => client.close())
  await client.login({ username: 'cid', password: 'password-1' })
  isRefused = true
  const listed = client.rooms.list().catch((error: unknown) => error)
  await isRefreshed
  await client.logout()
  release()
  t.match(await listed, { code: 'NO_SESSION' })
  t.equal(await storage.session(), null)
  t.equal(client.session.get().state, 'signedOut')
})

t.test('a call of one user does not go on in the name of another', async t => {
  let answer = () => {}
  const isAnswered = new Promise<void>(resolve => { answer = resolve })
  let held = () => {}
  const isHeld = new Promise<void>(resolve => { held = resolve })
  const asked: Array<string | undefined> = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    if (!String(input).endsWith('/api/rooms')) return await globalThis.fetch(input, init)
    asked.push(userOf(init))
    held()
    await isAnswered
    return refusal()
  }
  const { id: dan } = await register('dan')
  await register('eve')
  const client = createClient({ url, fetch })
  t.teardown(() => client.close())
  await client.login({ username: 'dan', password: 'password-1' })
  const made = client.rooms.create({ name: 'of dan' }).catch((error: unknown) => error)
  await isHeld
  await client.login({ username: 'eve', password: 'password-1' })
  answer()
  t.match(await made, { code: 'NO_SESSION' })
  t.same(asked, [dan])
})

t.test('a host application that has another user by now gives this one\'s calls no token', async t => {
  const [fay, gus] = [await register('fay'), await register('gus')]
  let { token } = fay
  const client = createClient({ url, auth: { getToken: async () => token } })
  t.teardown(() => client.close())
  await client.resume()
  t.equal(client.inspect().userId, fay.id)
  await client.start()
  await when(client.connection, isConnected)
  token = gus.token
  await client.resume()
  t.equal(client.inspect().userId, gus.id)
  await when(client.connection, isConnected)
  await client.common.send('of gus')
  await when(client.outbox, outbox => outbox.length === 0)
  t.equal(client.session.get().user?.username, 'gus')
})

t.test('what is found is shown no more once the user has signed out, and nothing breaks', async t => {
  let release = () => {}
  const isReleased = new Promise<void>(resolve => { release = resolve })
  const fetch: typeof globalThis.fetch = async (input, init) => {
    if (String(input).includes('/search')) await isReleased
    return await globalThis.fetch(input, init)
  }
  const client = await newClient(t, url, { live: false, fetch })
  await when(client.connection, isConnected)
  await client.common.send('something to find')
  await when(client.outbox, outbox => outbox.length === 0)
  const finding = await client.find({ text: 'something', conversationId: client.common.id })
  t.equal(finding.messages.get().length, 1)
  await client.logout()
  release()
  await when(finding.state, ({ loading }) => !loading)
})

t.test('a room that is made before the connection is there is in the list when its maker hears of it', async t => {
  for (const [delay, live] of [[0, true], [0, false], [1, true], [2, true], [3, true]] as const) {
    const client = await newClient(t, url, { live })
    for (let time = 0; time < delay; time++) await turns()
    const { id } = await client.rooms.create({ name: `early ${delay}` })
    t.ok(client.room(id).summary.get())
  }
})
