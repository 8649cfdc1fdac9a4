import { randomBytes } from 'node:crypto'
import t from 'tap'
import { Binary, Long } from 'bson'
import { toNumber } from '../src/values/values.ts'
import { Catalog } from '../src/store/catalog.ts'
import type { Doc, Value } from '../src/values/values.ts'
import type { Engine } from '../src/engine/engine.ts'
import { command, openEngine } from './helpers/engine.ts'

const DOCUMENTS = 20_000

async function fill (engine: Engine): Promise<void> {
  await command(engine, { insert: 'items', documents: Array.from({ length: DOCUMENTS }, (_, i) => ({ _id: i, n: i })) })
}

const firstBatch = (reply: Doc): Value[] => (reply.get('cursor') as Doc).get('firstBatch') as Value[]

const buildUnique = (engine: Engine) => command(engine, { createIndexes: 'items', indexes: [{ key: { n: 1 }, name: 'n_1', unique: true }] })

t.test('documents that a running insert writes after a drop are in the new collection', async t => {
  const engine = openEngine(t)
  const inserting = fill(engine)
  await new Promise(resolve => setImmediate(resolve))
  t.equal((await command(engine, { drop: 'items' })).get('ok'), 1)
  await inserting
  const last = await command(engine, { find: 'items', filter: { _id: DOCUMENTS - 1 } })
  t.equal(firstBatch(last).length, 1)
  const count = toNumber((await command(engine, { count: 'items' })).get('n'))
  t.ok(count > 0 && count < DOCUMENTS)
})

t.test('a collection that is dropped during an index build stays dropped, and the build fails', async t => {
  const engine = openEngine(t)
  await fill(engine)
  const building = buildUnique(engine)
  await command(engine, { drop: 'items' })
  t.equal((await building).get('codeName'), 'IndexBuildAborted')
  t.equal(new Catalog(engine.store).get('test.items'), undefined, 'nor does it come back at the next start')
})

t.test('an index that is dropped during its build does not exist, and the build fails', async t => {
  const engine = openEngine(t)
  await fill(engine)
  const building = buildUnique(engine)
  t.equal((await command(engine, { dropIndexes: 'items', index: 'n_1' })).get('ok'), 1)
  t.equal((await building).get('codeName'), 'IndexBuildAborted')
})

t.test('a unique key that moves to another document during an index build belongs to that document', async t => {
  const engine = openEngine(t)
  await fill(engine)
  const last = DOCUMENTS - 1
  const building = buildUnique(engine)
  // The building has entered the first document already, and not come to the last.
  await command(engine, { update: 'items', updates: [{ q: { _id: 0 }, u: { $set: { n: last } } }] })
  await command(engine, { delete: 'items', deletes: [{ q: { _id: last }, limit: 1 }] })
  t.equal((await building).get('ok'), 1)
  t.equal(firstBatch(await command(engine, { find: 'items', filter: { n: last }, hint: 'n_1' })).length, 1)
})

t.test('a statement that outlives its transaction does not affect the next one', async t => {
  const engine = openEngine(t)
  await fill(engine)
  const session = { lsid: { id: new Binary(randomBytes(16), 4) }, autocommit: false }
  const begun = (txnNumber: number, body: object) => command(engine, { ...body, ...session, txnNumber: Long.fromNumber(txnNumber), startTransaction: true })
  const old = begun(1, { find: 'items', filter: { none: 1 } })
  await command(engine, { abortTransaction: 1, ...session, txnNumber: Long.fromNumber(1) }, 'admin')
  await begun(2, { insert: 'items', documents: [{ _id: 'new' }] })
  t.equal((await old).get('codeName'), 'NoSuchTransaction')
  t.equal((await command(engine, { commitTransaction: 1, ...session, txnNumber: Long.fromNumber(2) }, 'admin')).get('ok'), 1)
})

t.test('an index contains the writes of a transaction that began just before the build could start', async t => {
  const engine = openEngine(t)
  const insert = (_id: string, session: object) => command(engine, { insert: 'items', documents: [{ _id, n: 1 }], ...session, startTransaction: true })
  await command(engine, { create: 'items' })
  for (let ticks = 0; ticks < 12; ticks++) {
    const [first, second] = [1, 1].map(() => ({ lsid: { id: new Binary(randomBytes(16), 4) }, txnNumber: Long.fromNumber(1), autocommit: false })) as [object, object]
    await insert(`first ${ticks}`, first)
    const building = command(engine, { createIndexes: 'items', indexes: [{ key: { n: 1 }, name: `n_${ticks}`, partialFilterExpression: { n: { $gte: ticks - 100 } } }], maxTimeMS: 60_000 })
    await new Promise(resolve => setImmediate(resolve))
    const aborted = command(engine, { abortTransaction: 1, ...first }, 'admin')
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve()
    t.equal((await insert(`second ${ticks}`, second)).get('ok'), 1)
    await command(engine, { commitTransaction: 1, ...second }, 'admin')
    await Promise.all([aborted, building])
    const byIndex = await command(engine, { find: 'items', filter: { n: { $gte: ticks - 100 } }, hint: `n_${ticks}` })
    t.equal(firstBatch(byIndex).length, ticks + 1, `after ${ticks} ticks`)
  }
})
