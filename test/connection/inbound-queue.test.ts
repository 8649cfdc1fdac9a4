import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { InboundQueue, type InboundLimits } from '../../src/connection/inbound-queue.ts'

const none: InboundLimits = { packets: 0, connects: 0, packetBytes: 1_000, waitingBytes: 0 }

/** An inbound of somebody's, and what becomes of what it takes. */
function opened (limits: Partial<InboundLimits> = {}, now?: () => number) {
  const inbound = new InboundQueue({ ...none, ...limits }, now)
  const seen = { passed: [] as unknown[], reading: [] as boolean[], sent: [] as string[], ended: 0, others: 0, large: [] as unknown[], floods: [] as number[] }
  inbound.attach({ read: on => { seen.reading.push(on) }, send: packet => { seen.sent.push(packet) }, end: () => { seen.ended++ } })
  inbound.ownedBy({ onOther: () => { seen.others++ }, onTooLarge: (...event) => { seen.large.push(event) }, onFlood: retryAfterMs => { seen.floods.push(retryAfterMs) } })
  const pass = (data: unknown) => { seen.passed.push(data) }
  const take = (data: string | Buffer) => {
    const taken = inbound.take(data, pass)
    if (taken !== undefined) pass(taken)
  }
  return { inbound, seen, take }
}

t.test('packets beyond one turn of the loop wait for the next turns, in order, and nothing more is read', async t => {
  const { inbound, seen, take } = opened()
  const packets = Array.from({ length: 200 }, (_, index) => `42["x",${index}]`)
  for (const packet of packets) take(packet)
  t.ok(seen.passed.length > 0 && seen.passed.length < 100, `${seen.passed.length} in the first turn`)
  t.equal(seen.reading.at(-1), false)
  let turns = 0
  for (; inbound.idle() !== undefined; turns++) await nextTurn()
  t.ok(turns >= 3)
  t.strictSame(seen.passed, packets)
  t.equal(seen.reading.at(-1), true)
})

t.test('packets of any kind are counted over ten seconds, and above the limit the connection ends', async t => {
  let now = 0
  const { inbound, seen, take } = opened({ packets: 3 }, () => now)
  for (const packet of ['3', '42["x"]', '3']) take(packet)
  t.equal(inbound.refusesMany(0), 0)
  now = 10_000
  t.equal(inbound.refusesMany(3), 0)
  take('3')
  now = 14_000
  t.equal(inbound.refusesMany(3), 6_000, 'a body is refused before any of it is parsed')
  take('42["late"]')
  t.match(seen, { ended: 1, floods: [6_000], passed: ['3', '42["x"]', '3', '3'] })
  t.ok(inbound.isEnded)
  const other = opened({ packets: 1 })
  other.take('3')
  other.take('3')
  t.match(other.seen, { ended: 1, passed: ['3'] })
})

t.test('CONNECTs are counted, and a long one is refused', async t => {
  const { seen, take } = opened({ connects: 2 })
  take(`40${JSON.stringify({ token: 'x'.repeat(40_000) })}`)
  t.match(seen, { passed: [], ended: 0 })
  t.match(seen.sent, [/^4\{"message":"The request is too large"/])
  take('40{}')
  take('40{}')
  t.match(seen, { passed: ['40{}'], ended: 1 })
})

t.test('an event that is too large gets an error, and a socket without a user is closed', async t => {
  const { seen, take } = opened()
  take(`4217["push",${'x'.repeat(1_000)}]`)
  take(`42["push","${'é'.repeat(600)}"]`)
  take('42["push"]')
  t.match(seen, { passed: ['42["push"]'], ended: 0 })
  t.strictSame(seen.large, [['push', 17], ['push', undefined]])
  const nobody = new InboundQueue(none)
  t.equal(nobody.take(`42["x","${'x'.repeat(1_000)}"]`, () => {}), undefined)
  t.ok(nobody.isEnded)
})

t.test('binary attachments are dropped, and their event is checked without them', async t => {
  const { seen, take } = opened()
  take('452-7["sendDirectMessage",{"content":{"_placeholder":true,"num":0}}]')
  take(Buffer.from('one'))
  take(`b${Buffer.from('two').toString('base64')}`)
  take('42["after"]')
  take('461-7[{"_placeholder":true,"num":0}]')
  take(Buffer.from('three'))
  t.strictSame(seen.passed, ['427["sendDirectMessage",{"content":{"_placeholder":true,"num":0}}]', '42["after"]'])
  t.equal(seen.others, 1, 'an acknowledgement costs as much as an event')
  take(Buffer.from('of no event'))
  take('450-["x"]')
  t.strictSame(seen.passed.slice(2), [Buffer.from('of no event'), '450-["x"]'], 'broken packets go to who closes for them')
})

t.test('nothing is read while too many events or answers wait', async t => {
  const { inbound, seen, take } = opened({ waitingBytes: 400 })
  inbound.eventStarted()
  take(`42["x","${'x'.repeat(100)}"]`)
  t.strictSame(seen.reading, [false])
  take('42["waits"]')
  t.equal(seen.passed.length, 1)
  inbound.eventFinished()
  await inbound.idle()
  t.equal(seen.passed.at(-1), '42["waits"]')
  t.equal(seen.reading.at(-1), true)
  for (let running = 0; running < 128; running++) inbound.eventStarted()
  t.equal(seen.reading.at(-1), false)
  for (let running = 0; running < 64; running++) inbound.eventFinished()
  t.equal(seen.reading.at(-1), true)
  await nextTurn()
  inbound.hold('out')
  take('42["more"]')
  await nextTurn()
  t.equal(seen.passed.length, 2)
  const idle = inbound.idle()
  inbound.release('out')
  await idle
  t.equal(seen.passed.length, 3)
})

t.test('after its end a queue releases its waiters and takes nothing more', async t => {
  const { inbound, seen, take } = opened()
  inbound.hold('out')
  take('42["never"]')
  const idle = inbound.idle()
  inbound.end()
  await idle
  take('42["never"]')
  await nextTurn()
  t.strictSame(seen.passed, [])
})
