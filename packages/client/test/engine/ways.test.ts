import t from 'tap'
import { createClient, memoryStorage } from '../../src/index.ts'
import { TidelogError } from '../../src/errors.ts'
import type { SocketTransport } from '../../src/network/transport.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const user = { id: 'a'.repeat(24), fullName: 'Ada', username: 'ada', picture: null }
const turn = () => new Promise(resolve => setImmediate(resolve))

/** A client on a network, and the way of each of its tries to open a socket. */
async function newClient (t: { teardown: (end: () => unknown) => void }, passes: (way: string) => boolean) {
  const clock = new FakeClock()
  const storage = memoryStorage()
  await storage.setSession({ user, token: 't', issuedAt: clock.now(), expiresAt: clock.now() + 86_400_000 })
  const tried: string[] = []
  const socket: SocketTransport = {
    open: async ({ transport }) => {
      tried.push(transport)
      if (!passes(transport)) throw new TidelogError({ code: 'OFFLINE' })
      return { ask: async () => ({ success: true, heads: {} }), tell: () => {}, close: () => {} }
    }
  }
  const answer = { success: true, conversations: [], hasMore: false, serverTime: new Date(clock.now()) }
  const fetch = async () => {
    if (!passes('rest')) throw new TypeError('fetch failed')
    return Response.json(answer)
  }
  const client = createClient({ url: 'http://localhost', storage, clock, fetch, socket, random: () => 0.5 })
  t.teardown(() => client.close())
  await client.resume()
  await client.start()
  const until = async (isReached: () => boolean) => {
    for (let passed = 0; !isReached(); passed += 100) {
      if (passed > 3_600_000) throw new Error(`an hour has passed, after ${tried.join(', ')}`)
      await turn()
      clock.advance(100)
    }
  }
  return { clock, client, tried, until }
}

t.test('the transport that works first after an outage soon gives way to a websocket', async t => {
  let isAway = true
  const { client, clock, tried, until } = await newClient(t, () => !isAway)
  await until(() => tried.length === 5 && tried.at(-1) === 'websocket')
  isAway = false
  await until(() => client.connection.get().state === 'live')
  t.equal(tried.at(-1), 'polling', 'the next one in turn')
  const from = clock.now()
  await until(() => tried.at(-1) === 'websocket' && client.connection.get().state === 'live')
  t.ok(clock.now() - from < 60_000)
})

t.test('on a network that lets no websocket through, a client asks for one once after an outage', async t => {
  let passing = ['polling', 'rest']
  const { client, clock, tried, until } = await newClient(t, way => passing.includes(way))
  const isLive = () => client.connection.get().state === 'live'
  await until(isLive)
  t.same(tried, ['websocket', 'polling'])
  passing = []
  // Nothing else ends a socket of this test.
  await client.stop()
  await client.start()
  await until(() => tried.length > 10)
  passing = ['polling', 'rest']
  await until(isLive)
  const before = tried.length
  const from = clock.now()
  await until(() => clock.now() - from > 3_000_000)
  t.same(tried.slice(before), ['websocket', 'polling'])
  t.ok(isLive())
})
