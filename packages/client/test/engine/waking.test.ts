import t from 'tap'
import { createClient, memoryStorage } from '../../src/index.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { firstFailure } from '../helpers/first-failure.ts'

const window = new EventTarget()
const document = Object.assign(new EventTarget(), { visibilityState: 'visible' })
Object.assign(globalThis, { window, document })
t.teardown(() => {
  for (const name of ['window', 'document']) Reflect.deleteProperty(globalThis, name)
})

const user = { id: 'a'.repeat(24), fullName: 'Ada', username: 'ada', picture: null }
const turn = () => new Promise(resolve => setImmediate(resolve))

/** A client without a server, which waits as long as it may, and the times of its tries. */
async function waiting (t: { teardown: (end: () => unknown) => void }, answer: () => Response) {
  const clock = new FakeClock()
  const storage = memoryStorage()
  await storage.setSession({ user, token: 't', issuedAt: clock.now(), expiresAt: clock.now() + 86_400_000 })
  const tries: number[] = []
  const fetch = async () => {
    tries.push(clock.now())
    return answer()
  }
  const client = createClient({ url: 'http://localhost', storage, clock, fetch, random: () => 0.999_999 })
  t.teardown(() => client.close())
  await client.resume()
  await client.start()
  await firstFailure(client)
  /** Time passes, in steps that are short enough for every timer. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 100) {
      await turn()
      clock.advance(Math.min(left, 100))
    }
    await turn()
  }
  return { clock, client, tries, pass }
}

const none = () => { throw new TypeError('fetch failed') }
const events: Array<[string, () => void]> = [
  ['online', () => { window.dispatchEvent(new Event('online')) }],
  ['focus', () => { window.dispatchEvent(new Event('focus')) }],
  ['visibilitychange', () => { document.dispatchEvent(new Event('visibilitychange')) }]
]

for (const [name, fire] of events) {
  t.test(`C8: at ${name} a client tries at once, and soon again`, async t => {
    const { clock, tries, pass } = await waiting(t, none)
    await pass(240_000)
    while (clock.now() - tries.at(-1)! !== 2_000) await pass(100)
    const before = tries.length
    fire()
    await pass(100)
    t.equal(tries.length, before + 1)
    await pass(4_000)
    t.equal(tries.length, before + 3, 'as at the beginning of an outage')
  })
}

t.test('C8: however often it is woken, a client tries once a second, and misses no call', async t => {
  const { clock, client, tries, pass } = await waiting(t, none)
  await pass(60_000)
  const from = clock.now()
  while (clock.now() < from + 10_000) {
    for (const [, fire] of events) fire()
    void client.start()
    await pass(100)
  }
  const soon = tries.filter(at => at >= from)
  t.ok(soon.length >= 9 && soon.length <= 11, `${soon.length} tries in ten seconds`)
})

t.test('C8: a client that is woken waits for the time that the server named', async t => {
  const refusal = { success: false, code: 'OVERLOADED', message: 'later', retryable: true, retryAfterMs: 30_000 }
  const { tries, pass } = await waiting(t, () => Response.json(refusal, { status: 503 }))
  await pass(1_000)
  window.dispatchEvent(new Event('online'))
  await pass(28_000)
  t.equal(tries.length, 1)
  await pass(1_100)
  t.equal(tries.length, 2, 'and no longer')
})
