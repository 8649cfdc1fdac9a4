import t from 'tap'
import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Binary, Long } from 'bson'
import type { Document } from 'bson'
import { toNumber } from '../src/values/values.ts'
import type { Doc, Value } from '../src/values/values.ts'
import type { Engine } from '../src/engine/engine.ts'
import { command, openEngine } from './helpers/engine.ts'

const DOCUMENTS = 60_000

let shared: Promise<Engine> | undefined

/** One engine with many documents for all tests of this file. */
function filled (): Promise<Engine> {
  shared ??= (async () => {
    const engine = openEngine(t)
    for (let from = 0; from < DOCUMENTS; from += 10_000) {
      await command(engine, { insert: 'items', documents: Array.from({ length: 10_000 }, (_, i) => ({ _id: from + i, n: (from + i) * 7919 % DOCUMENTS, text: 'some text of the usual length' })) })
    }
    return engine
  })()
  return shared
}

const batchOf = (reply: Doc): Value[] => ((reply.get('cursor') as Doc).get('firstBatch') ?? (reply.get('cursor') as Doc).get('nextBatch')) as Value[]

const nothing = { text: 'none like it' }

const longCommands: Record<string, Document> = {
  'a find that finds nothing': { find: 'items', filter: nothing },
  'a find that skips nearly all': { find: 'items', skip: DOCUMENTS - 1 },
  'a sort in memory': { find: 'items', sort: { n: 1 }, limit: 10_000, batchSize: 10_000 },
  'a count': { count: 'items', query: nothing },
  'a distinct': { distinct: 'items', key: 'text' },
  'an update of one that is nowhere': { update: 'items', updates: [{ q: nothing, u: { $set: { a: 1 } } }] },
  'a findAndModify in an order': { findAndModify: 'items', sort: { n: -1 }, update: { $set: { a: 1 } } },
  'an update of all': { update: 'items', updates: [{ q: { a: null }, u: { $set: { a: null } }, multi: true }] },
  'a delete that finds nothing': { delete: 'items', deletes: [{ q: nothing, limit: 0 }] },
  'an aggregation that groups': { aggregate: 'items', pipeline: [{ $group: { _id: '$text', n: { $sum: '$n' } } }], cursor: {} },
  'an aggregation that counts': { aggregate: 'items', pipeline: [{ $match: { _id: { $gte: 0 } } }, { $group: { _id: 1, n: { $sum: 1 } } }], cursor: {} },
  'an aggregation that sorts what it has grouped': { aggregate: 'items', pipeline: [{ $group: { _id: '$n' } }, { $sort: { _id: 1 } }], cursor: { batchSize: 1 } },
  'an aggregation that changes each': { aggregate: 'items', pipeline: [{ $project: { n: 1 } }, { $match: { n: -1 } }], cursor: {} },
  'an insert of many': { insert: 'others', documents: Array.from({ length: 20_000 }, (_, a) => ({ a })) },
  'an explain with execution': { explain: { find: 'items', filter: nothing } },
  collStats: { collStats: 'items' }
}

for (const [name, long] of Object.entries(longCommands)) {
  t.test(`during ${name} a point find runs first`, async t => {
    const engine = await filled()
    const order: string[] = []
    const running = command(engine, long).then(reply => {
      order.push('long')
      return reply
    })
    const point = await command(engine, { find: 'items', filter: { _id: 5 } })
    order.push('point')
    t.equal(batchOf(point).length, 1)
    t.equal((await running).get('ok') ?? 1, 1)
    t.same(order, ['point', 'long'])
  })
}

t.test('during an index build a point find and a write run first', async t => {
  const engine = await filled()
  const order: string[] = []
  const building = command(engine, { createIndexes: 'items', indexes: [{ key: { n: 1 }, name: 'n_1' }] }).then(reply => {
    order.push('index')
    return reply
  })
  await command(engine, { find: 'items', filter: { _id: 5 } })
  order.push('find')
  await command(engine, { update: 'items', updates: [{ q: { _id: 5 }, u: { $set: { n: -5 } } }] })
  order.push('write')
  t.equal((await building).get('ok'), 1)
  t.same(order, ['find', 'write', 'index'])
  const all = await command(engine, { count: 'items', query: { n: { $gte: -5 } }, hint: 'n_1' })
  t.equal(toNumber(all.get('n')), DOCUMENTS)
  await command(engine, { dropIndexes: 'items', index: 'n_1' })
})

t.test('a unique index build waits for a transaction that has locked a key, and then finds the duplicate', async t => {
  const engine = await filled()
  const session = { lsid: { id: new Binary(randomBytes(16), 4) }, txnNumber: Long.fromNumber(1), autocommit: false }
  const building = command(engine, { createIndexes: 'items', indexes: [{ key: { n: 1 }, name: 'unique', unique: true }] })
  // The last document's number, which the building has not come to yet.
  const n = (DOCUMENTS - 1) * 7919 % DOCUMENTS
  t.equal((await command(engine, { insert: 'items', documents: [{ _id: -1, n }], ...session, startTransaction: true })).get('ok'), 1)
  const committed = command(engine, { commitTransaction: 1, ...session }, 'admin')
  t.match(await building, new Map<string, unknown>([['ok', 0], ['codeName', 'DuplicateKey']]))
  t.equal((await committed).get('ok'), 1)
  await command(engine, { delete: 'items', deletes: [{ q: { _id: -1 }, limit: 1 }] })
})

/** Comes round until the work is over. */
async function * whileRunning (work: Promise<unknown>): AsyncGenerator<number> {
  const over = new AbortController()
  void work.finally(() => { over.abort() })
  for (let round = 0; !over.signal.aborted; round++) {
    yield round
    await new Promise(resolve => setImmediate(resolve))
  }
}

t.test('a scan finds every unchanged document exactly once, whatever others write meanwhile', async t => {
  const engine = await filled()
  await command(engine, { createIndexes: 'items', indexes: [{ key: { n: 1 }, name: 'n_1' }] })
  for (const hint of [{ $natural: 1 }, { $natural: -1 }, 'n_1']) {
    const scanning = command(engine, { find: 'items', filter: { text: { $type: 'string' } }, projection: { _id: 1 }, hint, batchSize: DOCUMENTS * 2 })
    let touched = 0
    for await (const round of whileRunning(scanning)) {
      // Moved, removed and added, behind the scan and ahead of it.
      await command(engine, { update: 'items', updates: [{ q: { _id: round % 1_000 }, u: { $inc: { n: DOCUMENTS / 2 } } }] })
      await command(engine, { delete: 'items', deletes: [{ q: { _id: DOCUMENTS + Math.floor(round / 2) }, limit: 1 }] })
      await command(engine, { insert: 'items', documents: [{ _id: DOCUMENTS + round, n: round % 1_000, text: 'new' }] })
      touched = round + 1
    }
    t.ok(touched > 1)
    const ids = batchOf(await scanning).map(doc => toNumber((doc as Doc).get('_id')))
    const untouched = ids.filter(id => id >= 1_000 && id < DOCUMENTS)
    t.equal(untouched.length, DOCUMENTS - 1_000, JSON.stringify(hint))
    t.equal(new Set(untouched).size, untouched.length)
    await command(engine, { delete: 'items', deletes: [{ q: { _id: { $gte: DOCUMENTS } }, limit: 0 }] })
  }
})

t.test('a scan whose collection or index is dropped meanwhile is killed', async t => {
  const engine = openEngine(t)
  await command(engine, { insert: 'items', documents: Array.from({ length: 50_000 }, (_, i) => ({ _id: i, a: i })) })
  await command(engine, { createIndexes: 'items', indexes: [{ key: { a: 1 }, name: 'a_1' }] })
  const byIndex = command(engine, { count: 'items', query: { a: { $gte: 0 }, b: null } })
  await command(engine, { dropIndexes: 'items', index: 'a_1' })
  t.equal((await byIndex).get('codeName'), 'QueryPlanKilled')
  const whole = command(engine, { count: 'items', query: { b: null } })
  await command(engine, { drop: 'items' })
  t.equal((await whole).get('codeName'), 'QueryPlanKilled')
})

t.test('a scan in a transaction reads its snapshot to the end, and stops when the transaction ends', async t => {
  const engine = await filled()
  const session = { lsid: { id: new Binary(randomBytes(16), 4) }, autocommit: false }
  const find = (txnNumber: number) => command(engine, { find: 'items', filter: { gone: null, _id: { $gte: 0 } }, projection: { _id: 1 }, batchSize: DOCUMENTS * 2, ...session, txnNumber: Long.fromNumber(txnNumber), startTransaction: true })
  const reading = find(1)
  await command(engine, { delete: 'items', deletes: [{ q: { _id: DOCUMENTS - 1 }, limit: 1 }] })
  t.equal(batchOf(await reading).length, DOCUMENTS)
  const ended = find(2)
  await command(engine, { abortTransaction: 1, ...session, txnNumber: Long.fromNumber(2) }, 'admin')
  t.equal((await ended).get('codeName'), 'NoSuchTransaction')
})

t.test('a scan that exceeds its maxTimeMS ends, and a busy cursor refuses a second getMore', async t => {
  const engine = await filled()
  t.equal((await command(engine, { count: 'items', query: nothing, maxTimeMS: 1 })).get('codeName'), 'MaxTimeMSExpired')
  const first = await command(engine, { find: 'items', filter: { $or: [{ _id: 1 }, nothing] }, hint: { $natural: 1 }, batchSize: 1 })
  const getMore = { getMore: (first.get('cursor') as Doc).get('id'), collection: 'items' }
  const more = command(engine, getMore)
  t.equal((await command(engine, getMore)).get('codeName'), 'CursorInUse')
  t.equal((await more).get('ok'), 1)
})

t.test('memory does not grow with the amount that is read, changed or removed', async t => {
  const engine = openEngine(t)
  const many = 40_000
  for (let from = 0; from < many; from += 10_000) {
    await command(engine, { insert: 'items', documents: Array.from({ length: 10_000 }, (_, i) => ({ _id: from + i, text: 'x'.repeat(500) })) })
  }
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const used = () => {
    collectGarbage()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  /** The most that was used above the beginning, seen while others may run. */
  const growth = async (work: () => Promise<unknown>) => {
    const before = used()
    let most = before
    for await (const round of whileRunning(work())) if (round % 50 === 0) most = Math.max(most, used())
    return most - before
  }
  const readAll = async (body: Document) => {
    const reply = await command(engine, body)
    for (let id = (reply.get('cursor') as Doc).get('id'); id !== 0n;) id = ((await command(engine, { getMore: id, collection: 'items', batchSize: 1_000 })).get('cursor') as Doc).get('id')
  }
  // Half of what the documents take. A batch of them is half a megabyte, and more when it is decoded.
  const bound = 11_000_000
  t.ok(await growth(() => readAll({ find: 'items', batchSize: 1_000 })) < bound)
  t.ok(await growth(() => readAll({ aggregate: 'items', pipeline: [{ $project: { text: 1 } }], cursor: { batchSize: 1_000 } })) < bound)
  t.ok(await growth(() => command(engine, { aggregate: 'items', pipeline: [{ $group: { _id: null, n: { $sum: 1 }, last: { $last: '$text' } } }], cursor: {} })) < bound)
  t.ok(await growth(() => command(engine, { count: 'items', query: nothing })) < bound)
  t.ok(await growth(() => command(engine, { find: 'items', sort: { text: 1 }, limit: 100 })) < bound)
  t.ok(await growth(() => command(engine, { update: 'items', updates: [{ q: {}, u: { $set: { a: 1 } }, multi: true }] })) < bound)
  t.ok(await growth(() => command(engine, { delete: 'items', deletes: [{ q: {}, limit: 0 }] })) < bound)
})

t.test('a sort or group that needs more than 100 MB is refused, and a smaller one is not', async t => {
  const engine = openEngine(t)
  const text = 'x'.repeat(1_000_000)
  for (let i = 0; i < 110; i++) await command(engine, { insert: 'items', documents: [{ _id: i, n: i % 7, text }] })
  const refused: Document[] = [
    { find: 'items', sort: { n: 1 } },
    { aggregate: 'items', pipeline: [{ $project: { n: 1, text: 1 } }, { $sort: { n: 1 } }], cursor: {} },
    { aggregate: 'items', pipeline: [{ $group: { _id: null, all: { $push: '$text' } } }], cursor: {} },
    { aggregate: 'items', pipeline: [{ $group: { _id: '$_id', text: { $first: '$text' } } }], cursor: {} }
  ]
  for (const body of refused) t.equal((await command(engine, body)).get('codeName'), 'QueryExceededMemoryLimitNoDiskUseAllowed')
  const answered: Document[] = [
    { find: 'items', sort: { n: 1 }, limit: 10, projection: { n: 1 } },
    { aggregate: 'items', pipeline: [{ $group: { _id: null, n: { $sum: '$n' }, last: { $last: '$text' } } }], cursor: {} },
    { aggregate: 'items', pipeline: [{ $group: { _id: '$n', text: { $last: '$text' } } }, { $project: { n: 1 } }], cursor: {} }
  ]
  for (const body of answered) t.equal((await command(engine, body)).get('ok'), 1)
})
