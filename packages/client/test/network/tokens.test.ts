import t from 'tap'
import { createClient, memoryStorage } from '../../src/index.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { when } from '../helpers/clients.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const user = { id: 'a'.repeat(24), fullName: 'Ada', username: 'ada', picture: null }
const json = (body: object, status = 200) => new Response(JSON.stringify(body), { status })
const unauthorized = () => json({ success: false, code: 'INVALID_TOKEN', message: 'no' }, 401)

interface Suite { teardown: (end: () => Promise<void>) => void }

/** A server that knows one good token, and counts what is asked of it. */
function accounts () {
  const state = { good: 't-1', refreshes: [] as string[], answer: 'given' as 'given' | 'lost' | 'refused', calls: 0 }
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const path = new URL(String(input)).pathname
    if (path === '/api/auth/refresh') {
      const { refreshToken } = JSON.parse(String(init?.body)) as { refreshToken: string }
      state.refreshes.push(refreshToken)
      await new Promise(resolve => setImmediate(resolve))
      if (state.answer === 'lost') throw new TypeError('fetch failed')
      if (state.answer === 'refused') return json({ success: false, code: 'INVALID_REFRESH_TOKEN', message: 'no' }, 401)
      state.good = `t-${state.refreshes.length + 1}`
      return json({ success: true, token: state.good, refreshToken: `r-${state.refreshes.length + 1}`, expiresAt: '2030-01-01T00:00:00.000Z', user: { ...user, _id: user.id, profilePicture: null } })
    }
    state.calls++
    if (new Headers(init?.headers).get('authorization') !== `Bearer ${state.good}`) return unauthorized()
    return json({ success: true, rooms: [], cursor: null })
  }
  return { state, fetch }
}

async function signedIn (t: Suite, storage: Storage, fetch: typeof globalThis.fetch, clock: FakeClock, lifeMs = 1_000_000) {
  await storage.setSession({ user, token: 't-1', refreshToken: 'r-1', issuedAt: clock.now(), expiresAt: clock.now() + lifeMs })
  const client = createClient({ url: 'http://localhost', storage, fetch, clock })
  t.teardown(() => client.close())
  await client.resume()
  return client
}

t.test('calls that are refused at the same time share one refresh', async t => {
  const { state, fetch } = accounts()
  const client = await signedIn(t, memoryStorage(), fetch, new FakeClock())
  state.good = 'none'
  await Promise.all(Array.from({ length: 8 }, () => client.rooms.list()))
  t.strictSame(state.refreshes, ['r-1'])
})

t.test('a token is renewed at four fifths of its life, and no call waits for it', async t => {
  const { state, fetch } = accounts()
  const clock = new FakeClock()
  const client = await signedIn(t, memoryStorage(), fetch, clock)
  clock.advance(799_000)
  await client.rooms.list()
  t.strictSame(state.refreshes, [])
  clock.advance(2_000)
  await client.rooms.list()
  t.strictSame(state.refreshes, ['r-1'])
})

t.test('after a lost answer the client sends the same refresh token again', async t => {
  const { state, fetch } = accounts()
  const client = await signedIn(t, memoryStorage(), fetch, new FakeClock())
  state.good = 'none'
  state.answer = 'lost'
  await t.rejects(client.rooms.list(), { code: 'OFFLINE' })
  t.equal(client.session.get().state, 'signedIn', 'no answer is no refusal')
  state.answer = 'given'
  await client.rooms.list()
  t.strictSame(state.refreshes, ['r-1', 'r-1'])
})

t.test('a client uses the token that another tab has renewed, and does not renew it again', async t => {
  const { state, fetch } = accounts()
  const storage = memoryStorage()
  const clock = new FakeClock()
  const client = await signedIn(t, storage, fetch, clock)
  state.good = 't-9'
  await storage.setSession({ user, token: 't-9', refreshToken: 'r-9', issuedAt: clock.now(), expiresAt: clock.now() + 1_000_000 })
  await client.rooms.list()
  t.strictSame(state.refreshes, [])
})

t.test('a refused session has expired: queued operations stay, and the next login sends them', async t => {
  const { state, fetch } = accounts()
  const client = await signedIn(t, memoryStorage(), fetch, new FakeClock())
  await client.common.send('waits')
  state.good = 'none'
  state.answer = 'refused'
  await t.rejects(client.rooms.list(), { code: 'INVALID_REFRESH_TOKEN' })
  t.equal(client.session.get().state, 'expired')
  t.equal(client.outbox.get().length, 1)
  await t.rejects(client.rooms.list(), { code: 'INVALID_REFRESH_TOKEN' })
  t.equal(state.refreshes.length, 1, 'it is not asked again')
})

t.test('a refused token of a host application is requested anew, once', async t => {
  const { state, fetch } = accounts()
  const asked: boolean[] = []
  const storage = memoryStorage()
  await storage.setSession({ user })
  const client = createClient({
    url: 'http://localhost',
    storage,
    fetch,
    auth: {
      getToken: async (stale = false) => {
        asked.push(stale)
        return stale ? state.good : 'old'
      }
    }
  })
  t.teardown(() => client.close())
  await client.resume()
  await client.rooms.list()
  await client.rooms.list()
  t.strictSame(asked, [false, true])
  await when(client.session, ({ state }) => state === 'signedIn')
})
