import t from 'tap'
import { Binary, Long } from 'mongodb'
import type { Document, MongoServerError } from 'mongodb'
import { randomBytes } from 'node:crypto'
import { startEngine } from './helpers/engine.ts'

const newSession = () => ({ id: new Binary(randomBytes(16), Binary.SUBTYPE_UUID) })

t.test('a retryable write that comes twice happens once and is answered alike', async t => {
  const { db } = await startEngine(t)
  const lsid = newSession()
  const commands: Document[] = [
    { insert: 'items', documents: [{ _id: 1, n: 1 }, { _id: 2, n: 1 }] },
    { update: 'items', updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }, { q: { _id: 3 }, u: { $inc: { n: 1 } }, upsert: true }] },
    { delete: 'items', deletes: [{ q: { n: 1 }, limit: 1 }] },
    { findAndModify: 'items', query: { _id: 1 }, update: { $inc: { n: 10 } }, new: true }
  ]
  for (const [i, command] of commands.entries()) {
    const retryable = { ...command, lsid, txnNumber: Long.fromNumber(i + 1) }
    const first = await db.command(retryable)
    const again = await db.command(retryable)
    t.same(again, first, Object.keys(command)[0]!)
  }
  t.same(await db.collection<{ _id: number }>('items').find().sort({ _id: 1 }).toArray(), [{ _id: 1, n: 12 }, { _id: 3, n: 1 }])
})

t.test('a retry runs the statements that the first attempt did not reach', async t => {
  const { db } = await startEngine(t)
  const lsid = newSession()
  const txnNumber = Long.fromNumber(1)
  await db.command({ insert: 'items', documents: [{ _id: 1 }], stmtIds: [0], lsid, txnNumber })
  const reply = await db.command({ insert: 'items', documents: [{ _id: 1 }, { _id: 2 }], stmtIds: [0, 1], lsid, txnNumber })
  t.equal(reply.n, 2)
  t.notOk(reply.writeErrors)
})

t.test('an older transaction number of a session is refused', async t => {
  const { db } = await startEngine(t)
  const lsid = newSession()
  await db.command({ insert: 'items', documents: [{ _id: 1 }], lsid, txnNumber: Long.fromNumber(5) })
  await t.rejects(db.command({ insert: 'items', documents: [{ _id: 2 }], lsid, txnNumber: Long.fromNumber(4) }), { code: 225 })
})

t.test('a statement of no transaction that is open is told to begin again', async t => {
  const { db } = await startEngine(t)
  const error = await db.command({ find: 'items', lsid: newSession(), txnNumber: Long.fromNumber(1), autocommit: false }).catch((error: unknown) => error) as MongoServerError
  t.equal(error.code, 251)
  t.ok(error.hasErrorLabel('TransientTransactionError'))
})

t.test('a new transaction of a session ends the one before', async t => {
  const { db } = await startEngine(t)
  const lsid = newSession()
  await db.command({ insert: 'items', documents: [{ _id: 1 }], lsid, txnNumber: Long.fromNumber(1), autocommit: false, startTransaction: true })
  await db.command({ insert: 'items', documents: [{ _id: 1 }], lsid, txnNumber: Long.fromNumber(2), autocommit: false, startTransaction: true })
  await db.admin().command({ commitTransaction: 1, lsid, txnNumber: Long.fromNumber(2), autocommit: false })
  t.equal(await db.collection('items').countDocuments(), 1)
})
