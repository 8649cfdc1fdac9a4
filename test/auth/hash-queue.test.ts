import t from 'tap'
import { HashQueue } from '../../src/auth/hash-queue.ts'

/** Work that ends when it is told to. */
function gate (): { done: Promise<void>, open: () => void } {
  let open = () => {}
  const done = new Promise<void>(resolve => { open = resolve })
  return { done, open }
}

/** The order in which jobs behind one that is under way are started. */
async function order (jobs: Array<{ address: string, isKnown?: boolean }>): Promise<string[]> {
  const queue = new HashQueue({ concurrencyMax: 1 })
  const first = gate()
  const started: string[] = []
  const running = [queue.run({ address: 'first', isKnown: false }, () => first.done)]
  jobs.forEach(({ address, isKnown = false }, at) => { running.push(queue.run({ address, isKnown }, async () => { started.push(`${address}${at}`) })) })
  first.open()
  await Promise.all(running)
  return started
}

t.test('addresses take turns, in whatever order their logins came', async t => {
  t.same(await order([{ address: 'a' }, { address: 'a' }, { address: 'a' }, { address: 'b' }, { address: 'c' }]), ['a0', 'b3', 'c4', 'a1', 'a2'])
})

t.test('a flood from many addresses does not delay a known address', async t => {
  const flood = Array.from({ length: 10 }, (_, i) => ({ address: `f${i}-` }))
  const started = await order([...flood, { address: 'home', isKnown: true }])
  t.ok(started.indexOf('home10') <= 1)
})

t.test('no more jobs run at a time than the limit allows', async t => {
  const queue = new HashQueue({ concurrencyMax: 2 })
  let [running, most] = [0, 0]
  await Promise.all(Array.from({ length: 20 }, (_, i) => queue.run({ address: `${i}`, isKnown: i % 2 === 0 }, async () => {
    most = Math.max(most, ++running)
    await new Promise(resolve => setImmediate(resolve))
    running--
  })))
  t.equal(most, 2)
})

t.test('above the limits per address and in all, jobs are refused at once until there is room again', async t => {
  const queue = new HashQueue({ concurrencyMax: 1, addressMax: 2, laneMax: 3 })
  const first = gate()
  const run = (address: string, isKnown = false) => queue.run({ address, isKnown }, async () => {})
  const accepted = [queue.run({ address: 'a', isKnown: false }, () => first.done), run('a'), run('a')]
  const refused = { code: 'OVERLOADED', retryAfterMs: Number }
  await t.rejects(run('a'), refused, 'a third of this address')
  accepted.push(run('b'))
  await t.rejects(run('c'), refused, 'a fourth in all')
  accepted.push(run('c', true))
  first.open()
  await Promise.all(accepted)
  await t.resolves(run('a'))
})

t.test('a job that fails frees its place', async t => {
  const queue = new HashQueue({ concurrencyMax: 1 })
  await t.rejects(queue.run({ address: 'a', isKnown: false }, async () => { throw new Error('broken') }), /broken/)
  t.equal(await queue.run({ address: 'a', isKnown: false }, async () => 1), 1)
})
