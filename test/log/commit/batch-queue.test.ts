import fc from 'fast-check'
import t from 'tap'
import { type QueuedUnit, takeBatch } from '../../../src/log/commit/batch-queue.ts'

interface Queued extends QueuedUnit {
  order: number
}

const queued = fc.array(fc.record({ conversations: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 }), bytes: fc.integer({ min: 1, max: 10 }) }), { maxLength: 20 })
  .map(drawn => drawn.map((item, order): Queued => ({ ...item, order, unit: { mutations: [] } })))
const situation = fc.record({
  items: queued,
  busy: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 2 }),
  countMax: fc.integer({ min: 1, max: 6 }),
  bytesMax: fc.integer({ min: 1, max: 30 }),
  isSoleWriter: fc.boolean()
})

/** Who could go by the rule alone: nobody busy, nobody earlier left behind on a conversation of theirs. */
function naive (items: Queued[], busy: string[], { isSoleWriter, countMax, bytesMax }: { isSoleWriter: boolean, countMax: number, bytesMax: number }): number[] {
  const taken: Queued[] = []
  for (const item of items) {
    if (taken.length >= countMax || taken.reduce((sum, { bytes }) => sum + bytes, 0) >= bytesMax) break
    const behind = items.some(other => other.order < item.order && !taken.includes(other) && other.conversations.some(id => item.conversations.includes(id)))
    const inScope = isSoleWriter || taken.length === 0 || item.conversations.every(id => taken.some(other => other.conversations.includes(id)))
    if (!behind && inScope && !item.conversations.some(id => busy.includes(id))) taken.push(item)
  }
  return taken.map(({ order }) => order)
}

t.test('a batch takes the units that the rule allows, in order, and the rest keep their order', async t => {
  fc.assert(fc.property(situation, ({ items, busy, ...bounds }) => {
    const waiting = [...items]
    const batch = takeBatch(waiting, new Set(busy), bounds).map(({ order }) => order)
    const rest = waiting.map(({ order }) => order)
    t.same(batch, naive(items, busy, bounds))
    t.same(rest, items.map(({ order }) => order).filter(order => !batch.includes(order)))
  }))
})

t.test('promise 4: all units of a conversation commit in the order in which they came, in both modes', async t => {
  fc.assert(fc.property(situation, fc.infiniteStream(fc.nat()), ({ items, countMax, bytesMax, isSoleWriter }, luck) => {
    const waiting = [...items]
    const running: Queued[][] = []
    const committed: Queued[] = []
    while (waiting.length > 0 || running.length > 0) {
      const busy = new Set(running.flat().flatMap(({ conversations }) => conversations))
      const batch = isSoleWriter && running.length > 0 ? [] : takeBatch(waiting, busy, { countMax, bytesMax, isSoleWriter })
      if (batch.length > 0) running.push(batch)
      else committed.push(...running.splice(luck.next().value % running.length, 1)[0]!)
    }
    t.equal(committed.length, items.length)
    for (const id of ['a', 'b', 'c', 'd']) {
      const orders = committed.filter(({ conversations }) => conversations.includes(id)).map(({ order }) => order)
      t.same(orders, orders.toSorted((a, b) => a - b))
    }
  }))
})
