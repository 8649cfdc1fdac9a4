import t from 'tap'
import { int32, isDoc } from '../../src/values/values.ts'
import type { Doc, Value } from '../../src/values/values.ts'
import { randomBytes } from 'node:crypto'
import { Binary, Long } from 'bson'
import { Environment, WriteFailed } from '../../src/store/environment.ts'
import type { Layer } from '../../src/store/layer.ts'
import { removeExpired } from '../../src/server/expiry.ts'
import { command, openEngine } from '../helpers/engine.ts'

function firstBatch (reply: Doc): Value[] {
  const cursor = reply.get('cursor')
  return isDoc(cursor) ? cursor.get('firstBatch') as Value[] : []
}

t.test('documents are removed when they have expired, and not before', async t => {
  const engine = openEngine(t)
  await command(engine, { createIndexes: 'tokens', indexes: [{ key: { at: 1 }, name: 'at_1', expireAfterSeconds: 60 }] })
  await command(engine, { insert: 'tokens', documents: [{ _id: 1, at: new Date(0) }, { _id: 2, at: new Date(50_000) }, { _id: 3, at: 'never' }, { _id: 4 }] })
  await removeExpired(engine, 60_001)
  t.same(firstBatch(await command(engine, { find: 'tokens' })).map(doc => (doc as Doc).get('_id')), [2, 3, 4].map(int32))
  await removeExpired(engine, 200_000)
  t.same(firstBatch(await command(engine, { find: 'tokens' })).map(doc => (doc as Doc).get('_id')), [3, 4].map(int32))
})

t.test('a partial TTL index does not expire documents that are not in it', async t => {
  const engine = openEngine(t)
  await command(engine, { createIndexes: 'tokens', indexes: [{ key: { at: 1 }, name: 'at_1', expireAfterSeconds: 60, partialFilterExpression: { temporary: true } }] })
  await command(engine, { insert: 'tokens', documents: [{ _id: 1, at: new Date(0), temporary: true }, { _id: 2, at: new Date(0) }] })
  await removeExpired(engine, 60_001)
  t.same(firstBatch(await command(engine, { find: 'tokens' })).map(doc => (doc as Doc).get('_id')), [int32(2)])
})

t.test('the data of a dropped collection is deleted', async t => {
  const engine = openEngine(t)
  await command(engine, { createIndexes: 'items', indexes: [{ key: { a: 1 }, name: 'a_1' }] })
  await command(engine, { insert: 'items', documents: Array.from({ length: 2_500 }, (_, i) => ({ _id: i, a: i })) })
  const { prefix, end } = engine.catalog.get('test.items')!
  await command(engine, { drop: 'items' })
  while (engine.catalog.dropped().length > 0) {
    await engine.store.durable()
    await new Promise(resolve => setImmediate(resolve))
  }
  let left = 0
  engine.store.view.scan(prefix, end, false, () => { left++; return true })
  t.equal(left, 0)
})

t.test('a read with majority waits until the writes that it sees are on disk', async t => {
  const engine = openEngine(t)
  await command(engine, { insert: 'items', documents: [{ _id: 1 }] })
  const order: string[] = []
  const written = command(engine, { insert: 'items', documents: [{ _id: 2 }] }).then(() => order.push('written'))
  // Nothing here waits for the disk, so the write is seen before it can be on it.
  while (firstBatch(await command(engine, { find: 'items' })).length < 2);
  order.push('local')
  const majority = command(engine, { find: 'items', readConcern: { level: 'majority' } }).then(reply => order.push(`majority ${firstBatch(reply).length}`))
  await Promise.all([written, majority])
  t.equal(order[0], 'local')
  t.same(order.slice(1).sort(), ['majority 2', 'written'])
})

t.test('a long write whose beginning was lost is not acknowledged, and a retry does all of it', async t => {
  const engine = openEngine(t)
  await command(engine, { create: 'items' })
  const write = t.capture(Environment.prototype, 'write', async () => {
    write.restore()
    throw new WriteFailed(new Error('No space left on device'))
  })
  const _ids = Array.from({ length: 30_000 }, (_, i) => i)
  const insert = { insert: 'items', documents: _ids.map(_id => ({ _id })), lsid: { id: new Binary(randomBytes(16), 4) }, txnNumber: Long.fromNumber(1) }
  t.same((await command(engine, insert)).get('code'), int32(14031))
  t.same((await command(engine, { count: 'items', query: { _id: 0 } })).get('n'), int32(0), 'the beginning was lost')
  t.notSame((await command(engine, { count: 'items' })).get('n'), int32(0), 'and its end was not')
  t.same((await command(engine, insert)).get('n'), int32(_ids.length))
  t.same((await command(engine, { count: 'items' })).get('n'), int32(_ids.length))
})

t.test('repairs after a lost write reach the disk, even if no client writes again', async t => {
  const engine = openEngine(t)
  await command(engine, { insert: 'items', documents: Array.from({ length: 3_000 }, (_, i) => ({ _id: i, a: i })) })
  const { write } = Environment.prototype
  let writes = 0
  const failing = t.capture(Environment.prototype, 'write', async function (this: Environment, layer: Layer) {
    if (++writes === 1) return await write.call(this, layer)
    failing.restore()
    throw new WriteFailed(new Error('No space left on device'))
  })
  // No document is in it, so its entries need no write that would take the rest along.
  const created = await command(engine, { createIndexes: 'items', indexes: [{ key: { a: 1 }, name: 'a_1', partialFilterExpression: { b: 1 } }] })
  t.equal(created.get('ok'), 0)
  await engine.store.durable()
  t.pass('it is on disk')
})
