import t from 'tap'
import { createClient, memoryStorage } from '../../src/index.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { outage } from '../helpers/outage.ts'

const user = { id: 'a'.repeat(24), fullName: 'Ada', username: 'ada', picture: null }
const turn = () => new Promise(resolve => setImmediate(resolve))

for (const withSocket of [true, false]) {
  t.test(`C8: in an hour of outage ${withSocket ? 'with a socket' : 'by REST'}, a client with queued messages tries rarely`, async t => {
    const clock = new FakeClock()
    const { fetch, socket, tried } = outage()
    const storage = memoryStorage()
    await storage.setSession({ user, token: 't', issuedAt: clock.now(), expiresAt: clock.now() + 86_400_000, refreshToken: 'r' })
    let seed = 1
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647
      return seed / 2_147_483_647
    }
    const client = createClient({ url: 'http://localhost', storage, clock, fetch, random, ...(withSocket ? { socket } : {}) })
    t.teardown(() => client.close())
    t.match(await client.resume(), user)
    await client.start()
    for (let number = 0; number < 20; number++) await client.common.send(`message ${number}`)
    const end = clock.now() + 3_600_000
    while (clock.now() < end) {
      await turn()
      clock.advance(Math.min(clock.nextIn ?? 1_000, 60_000))
    }
    t.ok(tried() > 60, `${tried()} tries: it goes on`)
    t.ok(tried() < 200, `${tried()} tries: it does not hammer`)
    t.equal(client.outbox.get().length, 20, 'everything still waits')
    t.match(client.connection.get(), { error: { code: 'OFFLINE' } })
  })
}

t.test('C8: a client does not try again before the time that the server named', async t => {
  const clock = new FakeClock()
  const storage = memoryStorage()
  await storage.setSession({ user, token: 't', issuedAt: clock.now(), expiresAt: clock.now() + 86_400_000 })
  const times: number[] = []
  const fetch: typeof globalThis.fetch = async () => {
    times.push(clock.now())
    return new Response(JSON.stringify({ success: false, code: 'OVERLOADED', message: 'later', retryable: true }), { status: 503, headers: { 'retry-after': '90' } })
  }
  const client = createClient({ url: 'http://localhost', storage, clock, fetch, random: () => 0.5 })
  t.teardown(() => client.close())
  await client.resume()
  await client.start()
  while (times.length < 3) {
    await turn()
    clock.advance(Math.min(clock.nextIn ?? 1_000, 10_000))
  }
  t.ok(times[1]! - times[0]! >= 90_000 && times[2]! - times[1]! >= 90_000)
})
