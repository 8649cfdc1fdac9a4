import assert from 'node:assert/strict'
import { setImmediate as soon } from 'node:timers/promises'
import fc from 'fast-check'
import type { FastifyBaseLogger } from 'fastify'
import t from 'tap'
import { type Rev, revOf } from '../../src/log/model/types.ts'
import { type Hole, Order } from '../../src/sockets/order.ts'
import { Positions } from '../../src/sockets/positions.ts'

const silent = { warn: () => {} } as unknown as FastifyBaseLogger
const id = 'room_x'

/** An order whose timers are fired by hand, over a database that has every rev. */
function makeOrder ({ isAlone = false, hearsOthers = true, hole = {} }: { isAlone?: boolean, hearsOthers?: boolean, hole?: Partial<Hole> } = {}) {
  const sent: string[] = []
  const asked: string[] = []
  const timers = new Set<() => void>()
  const positions = new Positions()
  const order = new Order({
    positions,
    log: silent,
    isAlone,
    hearsOthers: () => hearsOthers,
    later: act => {
      timers.add(act)
      return () => { timers.delete(act) }
    }
  })
  order.start({
    hole: {
      isFollowed: () => true,
      isRestricted: () => true,
      check: async () => { asked.push('check') },
      read: async (_id, after, to) => {
        asked.push(`read ${after} ${to}`)
        const sends = new Map(Array.from({ length: to - after }, (_, index): [Rev, () => void] => [revOf(after + index + 1), () => { sent.push(`read ${after + index + 1}`) }]))
        return { sends, isChecked: false }
      },
      ...hole
    },
    pass: (_id, send) => { void send() },
    flush: () => {}
  })
  return {
    order,
    positions,
    sent,
    asked,
    timers,
    hear: (rev: number) => order.take(id, revOf(rev), () => { sent.push(`heard ${rev}`) }),
    hearAt: (rev: number) => { order.takeAt(id, revOf(rev), () => { sent.push(`at ${rev}`) }) },
    /** What waits for a time goes on. */
    fire: async () => {
      for (const act of [...timers]) {
        timers.delete(act)
        act()
      }
      await soon()
    }
  }
}

const revsOf = (sent: readonly string[]) => sent.filter(one => !one.startsWith('at')).map(one => Number(one.split(' ')[1]))

t.test('I4 I7: whatever is lost, doubled and overtaken between nodes, a conversation goes on rev by rev, and nothing is kept of it then', async t => {
  await fc.assert(fc.asyncProperty(fc.array(fc.record({ rev: fc.integer({ min: 1, max: 30 }), at: fc.boolean(), fires: fc.boolean() }), { maxLength: 60 }), async words => {
    const { order, positions, sent, hear, hearAt, fire, timers } = makeOrder()
    positions.set(id, revOf(0))
    for (const { rev, at, fires } of words) {
      at ? hearAt(rev) : hear(rev)
      if (fires) await fire()
    }
    await fire()
    await fire()
    const last = Math.max(0, ...words.map(({ rev }) => rev))
    assert.deepEqual(revsOf(sent), Array.from({ length: last }, (_, index) => index + 1))
    assert.equal(sent.filter(one => one.startsWith('at')).length, words.filter(({ at }) => at).length)
    for (const [index, one] of sent.entries()) if (one.startsWith('at')) assert(revsOf(sent.slice(0, index)).includes(Number(one.split(' ')[1])), 'what is of a rev comes behind it')
    assert.equal(timers.size, 0)
    assert.equal(order.isEmpty, true)
  }), { numRuns: 100 })
  t.pass('100 random orders')
})

t.test('where nobody else writes, nothing is read and nothing waits, but behind a commit whose end is not known', async t => {
  const { order, sent, asked, hear, hearAt } = makeOrder({ isAlone: true, hearsOthers: false })
  for (const rev of [7, 8, 9]) hear(rev)
  hearAt(9)
  t.same(sent, ['heard 7', 'heard 8', 'heard 9', 'at 9'])
  t.same(asked, [])
  hear(11)
  await soon()
  t.same(sent.slice(4), ['read 10', 'heard 11'])

  const unknown = makeOrder({ isAlone: true, hearsOthers: false })
  unknown.order.doubt([id])
  unknown.hear(7)
  await soon()
  t.same(unknown.asked, ['check'])
  t.same(unknown.sent, ['heard 7'])
  t.equal(order.isEmpty, true)
})

t.test('what is heard of first is sent when it is certain who may follow; further ones wait for that too', async t => {
  let release = () => {}
  const { sent, hear } = makeOrder({ hole: { check: async () => { await new Promise<void>(resolve => { release = resolve }) } } })
  hear(7)
  hear(8)
  await soon()
  t.same(sent, [])
  release()
  await soon()
  t.same(sent, ['heard 7', 'heard 8'])
})

t.test('where nobody follows, or nothing depends on memberships, nobody is asked', async t => {
  for (const hole of [{ isFollowed: () => false }, { isRestricted: () => false }]) {
    const { sent, asked, hear } = makeOrder({ hole })
    hear(7)
    t.same([sent, asked], [['heard 7'], []])
  }
  const { sent, asked, hear } = makeOrder({ hole: { isFollowed: () => false } })
  hear(7)
  hear(9)
  t.equal(hear(8), false, 'it was overtaken')
  t.same([sent, asked], [['heard 7', 'heard 9'], []])
})

t.test('what overtakes the first change that is heard of does not stand for it', async t => {
  const { sent, hear, hearAt } = makeOrder({ hole: { isRestricted: () => false } })
  hearAt(7)
  t.equal(hear(7), true)
  t.same(sent, ['at 7', 'heard 7'])

  const room = makeOrder()
  room.hearAt(7)
  await soon()
  t.same([room.sent, room.asked], [['at 7'], ['check']])
  t.equal(room.hear(7), true)
  await soon()
  t.same(room.sent, ['at 7', 'heard 7'])
  t.equal(room.order.isEmpty, true)
})

t.test('a hole is not given up while the database does not answer', async t => {
  let fails = 2
  const { sent, hear, fire, positions } = makeOrder({
    hole: {
      read: async (_id, after) => {
        if (fails-- > 0) throw new Error('away')
        return { sends: new Map([[revOf(after + 1), () => { sent.push('read 2') }]]), isChecked: true }
      }
    }
  })
  positions.set(id, revOf(1))
  hear(3)
  for (let tries = 0; tries < 3; tries++) {
    t.same(sent, [])
    await fire()
  }
  t.same(sent, ['read 2', 'heard 3'])
})

t.test('memory is bounded: beyond it what waits is dropped, and the next change begins with a check', async t => {
  const { order, sent, asked, hear, fire, positions } = makeOrder()
  positions.set(id, revOf(0))
  for (let rev = 2; rev <= 10_001; rev++) hear(rev)
  t.equal(order.isBusy, true)
  hear(10_002)
  t.equal(order.isEmpty, true)
  await fire()
  t.same(sent, [])
  hear(10_003)
  await soon()
  t.same([sent, asked], [['heard 10003'], ['check']])
})
