import t from 'tap'
import { createClient, memoryStorage } from '../../src/index.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { firstFailure } from '../helpers/first-failure.ts'
import { outage } from '../helpers/outage.ts'

const user = { id: 'a'.repeat(24), fullName: 'Ada', username: 'ada', picture: null }
const turn = () => new Promise(resolve => setImmediate(resolve))

/** A session that lasts for a day is stored. */
async function signedIn (clock: FakeClock) {
  const storage = memoryStorage()
  const issuedAt = clock.now()
  await storage.setSession({ user, token: 't', issuedAt, expiresAt: issuedAt + 86_400_000, refreshToken: 'r' })
  return storage
}

for (const way of ['with a socket', 'by REST']) {
  t.test(`C8: in an hour of outage ${way}, a client with queued messages tries rarely`, async t => {
    const clock = new FakeClock()
    const { fetch, socket, tried } = outage()
    const storage = await signedIn(clock)
    let seed = 1
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647
      return seed / 2_147_483_647
    }
    const options = { url: 'http://localhost', storage, clock, fetch, random }
    const client = createClient(way === 'by REST' ? options : { ...options, socket })
    t.teardown(() => client.close())
    t.match(await client.resume(), user)
    await client.start()
    await firstFailure(client)
    for (let number = 0; number < 20; number++) await client.common.send(`message ${number}`)
    const end = clock.now() + 3_600_000
    while (clock.now() < end) {
      await turn()
      clock.advance(Math.min(clock.nextIn ?? 1_000, 60_000))
    }
    t.ok(tried() > 160, `${tried()} tries: it goes on`)
    t.ok(tried() < 300, `${tried()} tries: it does not hammer`)
    t.equal(client.outbox.get().length, 20, 'everything still waits')
    t.match(client.connection.get(), { error: { code: 'OFFLINE' } })
  })
}

t.test('C8: a server that comes back is noticed in ten seconds, and after a long outage in a thirtieth of it', async t => {
  const clock = new FakeClock()
  const storage = await signedIn(clock)
  const begun = clock.now()
  const tries: number[] = []
  const fetch: typeof globalThis.fetch = async () => {
    tries.push(clock.now() - begun)
    throw new TypeError('fetch failed')
  }
  // The longest waits that chance gives.
  const client = createClient({ url: 'http://localhost', storage, clock, fetch, random: () => 0.999_999 })
  t.teardown(() => client.close())
  await client.resume()
  await client.start()
  await firstFailure(client)
  while (clock.now() - begun < 3_600_000) {
    await turn()
    clock.advance(Math.min(clock.nextIn ?? 1_000, 60_000))
  }
  const longest = (from: number, to: number) => Math.max(...tries.flatMap((at, index) => {
    return at >= from && at < to ? at - (tries[index - 1] ?? 0) : []
  }))
  t.ok(longest(0, 300_000) <= 10_000)
  t.ok(longest(300_000, 600_000) <= 20_000)
  t.ok(longest(600_000, 3_600_000) <= 60_000)
  t.ok(longest(1_900_000, 3_600_000) > 59_000, 'much later it tries once a minute')
})

t.test('C8: a client does not try again before the time that the server named', async t => {
  const clock = new FakeClock()
  const storage = await signedIn(clock)
  const times: number[] = []
  const fetch: typeof globalThis.fetch = async () => {
    times.push(clock.now())
    const body = { success: false, code: 'OVERLOADED', message: 'later', retryable: true }
    return Response.json(body, { status: 503, headers: { 'retry-after': '90' } })
  }
  const client = createClient({ url: 'http://localhost', storage, clock, fetch, random: () => 0.5 })
  t.teardown(() => client.close())
  await client.resume()
  await client.start()
  await firstFailure(client)
  while (times.length < 3) {
    await turn()
    clock.advance(Math.min(clock.nextIn ?? 1_000, 10_000))
  }
  t.ok(times[1]! - times[0]! >= 90_000 && times[2]! - times[1]! >= 90_000)
})
