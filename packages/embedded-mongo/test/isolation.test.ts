import t from 'tap'
import fc from 'fast-check'
import { join } from 'node:path'
import { Binary, Long, serialize } from 'bson'
import { decode } from '../src/bson/index.ts'
import { dispatch } from '../src/server/dispatch.ts'
import { Engine } from '../src/engine/engine.ts'
import { isDoc, toNumber } from '../src/values/values.ts'
import type { Doc, Value } from '../src/values/values.ts'
import { readRequest } from '../src/wire/messages.ts'
import { temporaryFolder } from './helpers/engine.ts'
import { message } from './helpers/wire-client.ts'

/** A document: its value, and which insertion made it. */
type Row = { n: number, born: number }

/** What snapshot isolation with first-writer-wins says, on plain maps by `_id`. */
class Model {
  committed = new Map<number, Row>()
  readonly open = new Map<number, { before: Map<number, Row>, now: Map<number, Row>, written: Set<number> }>()

  begin (session: number): void {
    this.open.set(session, { before: new Map(this.committed), now: new Map(this.committed), written: new Set() })
  }

  isLocked (id: number, but?: number): boolean {
    return [...this.open].some(([session, { written }]) => session !== but && written.has(id))
  }

  /** Whether a transaction may write this document: nobody else has since its snapshot. */
  conflicts (session: number, id: number): boolean {
    const before = this.open.get(session)!.before.get(id)
    const after = this.committed.get(id)
    return this.isLocked(id, session) || before?.n !== after?.n || before?.born !== after?.born
  }

  commit (session: number): void {
    const { now, written } = this.open.get(session)!
    for (const id of written) {
      const value = now.get(id)
      if (value === undefined) this.committed.delete(id)
      else this.committed.set(id, value)
    }
    this.open.delete(session)
  }
}

type Step = { session: number, action: 'begin' | 'read' | 'put' | 'remove' | 'commit' | 'abort' | 'settle', id: number }

const step = fc.record<Step>({
  session: fc.nat(3),
  action: fc.constantFrom<Step['action'][]>('begin', 'read', 'put', 'put', 'put', 'remove', 'commit', 'abort', 'settle'),
  id: fc.nat(4)
})

/** The engine under test, spoken to by numbered sessions; session 0 never opens a transaction. */
class Client {
  readonly #engine: Engine
  readonly #numbers = new Map<number, number>()
  readonly #run = Math.floor(Math.random() * 2 ** 32)
  readonly collection: string

  constructor (engine: Engine, collection: string) {
    this.#engine = engine
    this.collection = collection
  }

  async send (session: number, body: object, starts = false, database = 'test'): Promise<Doc> {
    if (starts) this.#numbers.set(session, (this.#numbers.get(session) ?? 0) + 1)
    const id = Buffer.alloc(16)
    id.writeUInt32LE(this.#run, 0)
    id.writeUInt32LE(session, 4)
    const part = session === 0 ? {} : { lsid: { id: new Binary(id, 4) }, txnNumber: Long.fromNumber(this.#numbers.get(session)!), autocommit: false, ...(starts ? { startTransaction: true } : {}) }
    const reply = await dispatch(this.#engine, readRequest(message(1, serialize({ ...body, ...part, $db: database }))), 1)
    return Buffer.isBuffer(reply) ? decode(reply) : reply as Doc
  }

  /** All documents, once by reading the collection and once by each index; they must agree. */
  async readAll (session: number): Promise<Map<number, number>> {
    const views: string[] = []
    let rows = new Map<number, number>()
    for (const options of [{ hint: { $natural: 1 } }, { hint: { _id: 1 } }, { hint: { n: 1 }, sort: { n: 1 } }]) {
      const reply = await this.send(session, { find: this.collection, ...options, batchSize: 1_000, singleBatch: true })
      const cursor = reply.get('cursor')
      if (!isDoc(cursor)) throw new Error(String(reply.get('errmsg')))
      const found = (cursor.get('firstBatch') as Value[]).map(value => value as Doc).map((doc): [number, number] => [toNumber(doc.get('_id')), toNumber(doc.get('n'))])
      rows = new Map(found.sort(([a], [b]) => a - b))
      views.push(JSON.stringify([...rows]))
    }
    if (new Set(views).size !== 1) throw new Error(`the indexes disagree: ${views.join(' | ')}`)
    return rows
  }
}

async function follow (client: Client, engine: Engine, steps: readonly Step[]): Promise<void> {
  const model = new Model()
  let value = 0
  let births = 0
  for (const { session, action, id } of steps) {
    const open = model.open.get(session)
    const { collection } = client
    if (action === 'settle') await engine.store.durable()
    if (action === 'begin' && session > 0 && open === undefined) {
      model.begin(session)
      await client.send(session, { find: collection, filter: { _id: -1 } }, true)
    }
    if (session > 0 && open === undefined) continue
    const now = open?.now ?? model.committed
    if (action === 'read') expectSame(await client.readAll(session), now)
    if (action === 'put' || action === 'remove') {
      // A plain write would wait for the transaction that has locked the document.
      if (open === undefined && model.isLocked(id)) continue
      const changes = action === 'put' || now.has(id)
      const conflict = open !== undefined && changes && model.conflicts(session, id)
      // Values go to and fro, so that an index key comes back that another snapshot has lost.
      value = (value + 1) % 3
      const same = action === 'put' && now.get(id)?.n === value
      const reply = action === 'put'
        ? client.send(session, { update: collection, updates: [{ q: { _id: id }, u: { $set: { n: value } }, upsert: true }] })
        : client.send(session, { delete: collection, deletes: [{ q: { _id: id }, limit: 1 }] })
      // Plain writes are not waited for, so that steps meet layers that are not on disk; they are applied at once.
      if (open === undefined) void reply
      else if ((await reply).get('ok') !== (conflict && !same ? 0 : 1)) throw new Error(`${action} ${id}: ${String((await reply).get('errmsg') ?? 'no conflict')}`)
      if (conflict && !same) {
        model.open.delete(session)
        continue
      }
      if (changes && !same) open?.written.add(id)
      if (action === 'put') now.set(id, { n: value, born: now.get(id)?.born ?? births++ })
      else now.delete(id)
    }
    if (action === 'commit' && open !== undefined) {
      const reply = await client.send(session, { commitTransaction: 1 }, false, 'admin')
      if (reply.get('ok') !== 1) throw new Error(String(reply.get('errmsg')))
      model.commit(session)
    }
    if (action === 'abort' && open !== undefined) {
      await client.send(session, { abortTransaction: 1 }, false, 'admin')
      model.open.delete(session)
    }
  }
  for (const session of model.open.keys()) await client.send(session, { abortTransaction: 1 }, false, 'admin')
  expectSame(await client.readAll(0), model.committed)
  const counted = toNumber((await client.send(0, { count: client.collection })).get('n'))
  if (counted !== model.committed.size) throw new Error(`counted ${counted}, not ${model.committed.size}`)
}

function expectSame (found: Map<number, number>, expected: Map<number, Row>): void {
  const sorted = JSON.stringify([...expected].map(([id, { n }]): [number, number] => [id, n]).sort(([a], [b]) => a - b))
  if (JSON.stringify([...found]) !== sorted) throw new Error(`found ${JSON.stringify([...found])}, not ${sorted}`)
}

t.test('each session sees its snapshot and its own writes, whatever the others do', async t => {
  const engine = new Engine({ path: join(temporaryFolder(t), 'data.mdb'), sync: true })
  t.teardown(async () => { await engine.close() })
  let run = 0
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async steps => {
    const client = new Client(engine, `run${run++}`)
    await client.send(0, { createIndexes: client.collection, indexes: [{ key: { n: 1 }, name: 'n_1' }] })
    await follow(client, engine, steps)
  }), { numRuns: 100 })
  t.pass()
})
