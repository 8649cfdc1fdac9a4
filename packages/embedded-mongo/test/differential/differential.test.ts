/**
 * The whole engine, through the driver, against a naive evaluator: random documents and indexes, random changes, and
 * then random queries, each also asked in ways that must give the same answer. TIDELOG_RUNS sets how many cases (with tap's --timeout=0).
 */
import t from 'tap'
import fc from 'fast-check'
import type { Collection, Document, MongoServerError } from 'mongodb'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { MongoBulkWriteError, MongoClient } from 'mongodb'
import { aCase } from './cases.ts'
import type { Case, Change, IndexSpec, Read } from './cases.ts'
import { keysOf, matchesFilter, ParallelArrays, placed, projected, sorted, text } from './oracle.ts'
import type { Order, Plain } from './oracle.ts'
import { Refused, Unjudged, updated } from './oracle-update.ts'

const RUNS = Number(process.env.TIDELOG_RUNS ?? 600)
/** Keeps every number's type. */
const TYPED = { promoteValues: false, promoteLongs: false }

class Mismatch extends Error {}

/** What the engine answered, or the code it refused with. */
async function answerOf<T> (asking: Promise<T>): Promise<{ value: T } | { code: number }> {
  try {
    return { value: await asking }
  } catch (error) {
    // Where types are kept, the code has one too.
    const code = Number((error as MongoServerError).code)
    if (Number.isNaN(code)) throw error
    return { code }
  }
}

function expect (what: string, engine: unknown, oracle: unknown): void {
  const [got, wanted] = [text(engine), text(oracle)]
  if (got !== wanted) throw new Mismatch(`${what}\n  engine ${got}\n  oracle ${wanted}`)
}

/** What the collection should hold. */
class Model {
  docs: Plain[] = []
  readonly indexes: IndexSpec[] = []

  /** The code a document would be refused with by an index, or undefined; of several errors, that no key can be made. */
  refusal (doc: Plain): number | undefined {
    const holding = this.indexes.filter(index => isIn(index, doc))
    const made = holding.map(index => codeOr(() => keysOf(doc, Object.keys(index.key))))
    if (made.includes(171)) return 171
    for (const [i, index] of holding.entries()) {
      const keys = made[i] as ReturnType<typeof keysOf>
      if (index.unique !== true) continue
      const others = this.docs.filter(other => text(other._id) !== text(doc._id) && isIn(index, other))
      const held = new Set(others.flatMap(other => keysOf(other, Object.keys(index.key)).map(tupleText)))
      if (keys.some(key => held.has(tupleText(key)))) return 11000
    }
    return undefined
  }
}

function isIn (index: IndexSpec, doc: Plain): boolean {
  if (index.sparse === true) return Object.keys(index.key).some(path => matchesFilter(doc, { [path]: { $exists: true } }))
  return index.partialFilterExpression === undefined || matchesFilter(doc, index.partialFilterExpression)
}

/** Equal for keys that compare as equal; the unique keys of these tests are made of few values. */
function tupleText (key: readonly unknown[]): string {
  return key.map(part => {
    if (typeof part === 'symbol') return 'empty'
    return text(part).replace(/\{"\$number(?:Int|Long|Double|Decimal)":"([^"]*)"\}/g, (_, digits: string) => (
      /^-?\d{16,}$/.test(digits) ? BigInt.asIntN(64, BigInt(digits)).toString() : String(Number(digits) + 0)
    ))
  }).join('|')
}

function codeOr<T> (run: () => T): T | number {
  try {
    return run()
  } catch (error) {
    if (error instanceof ParallelArrays) return 171
    if (error instanceof Refused) return error.code
    throw error
  }
}

async function build (collection: Collection, { docs, indexes, indexedFirst }: Case): Promise<Model> {
  const model = new Model()
  if (indexedFirst) for (const index of indexes) await createIndex(collection, model, index)
  const refusals: (number | undefined)[] = []
  for (const doc of docs) {
    const refusal = model.refusal(doc)
    refusals.push(refusal)
    if (refusal === undefined) model.docs.push(doc)
  }
  expect(`inserts with ${text(indexes)}`, await inserted(collection, docs), refusals)
  if (!indexedFirst) for (const index of indexes) await createIndex(collection, model, index)
  return model
}

/** Of each document the code it was refused with, or undefined. */
async function inserted (collection: Collection, docs: readonly Plain[]): Promise<(number | undefined)[]> {
  const codes: (number | undefined)[] = docs.map(() => undefined)
  if (docs.length === 0) return codes
  try {
    await collection.insertMany(docs as Document[], { ordered: false })
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error
    for (const { index, code } of [error.writeErrors].flat()) codes[index] = code
  }
  return codes
}

async function createIndex (collection: Collection, model: Model, index: IndexSpec): Promise<void> {
  const { key, ...options } = index
  if (model.indexes.some(other => text(other.key) === text(key))) return
  const found = new Model()
  found.indexes.push(index)
  let refusal: number | undefined
  for (const doc of model.docs) {
    refusal ??= found.refusal(doc)
    found.docs.push(doc)
  }
  const answer = await answerOf(collection.createIndex(key, options as Document))
  expect(`create index ${text(index)}`, 'code' in answer ? answer.code : undefined, refusal)
  if (refusal === undefined) model.indexes.push(index)
}

/** The state after a change, its result, or the code it is refused with; 'any' where that depends on the plan. */
function modelled (model: Model, change: Change): { docs: Plain[], n: number, returned?: Plain | null } | number | 'any' {
  const matching = model.docs.filter(doc => matchesFilter(doc, change.filter))
  switch (change.do) {
    case 'delete':
      return { docs: model.docs.filter(doc => !matching.includes(doc)), n: matching.length }
    case 'replace': return replaced(model, matching[0] ?? (change.upsert ? { _id: (change.filter as Plain)._id! } : undefined), change.replacement)
    case 'update': {
      if (matching.length === 0 && change.upsert) return changedTo(model, [[undefined, codeOr(() => updated({ _id: (change.filter as Plain)._id! }, change.update, true))]])
      const results = matching.map(doc => [doc, codeOr(() => updated(doc, change.update))] as const)
      // How far it comes depends on the order; so does whether two of the changed documents meet in a unique key.
      const mayStop = model.indexes.some(({ unique }) => unique === true) || results.some(([, result]) => typeof result === 'number' || model.refusal(result) !== undefined)
      if (change.many && results.length > 1 && mayStop) return 'any'
      return changedTo(model, results)
    }
    case 'findAndUpdate': {
      const first = codeOr(() => sorted(matching, { ...change.order, _id: 1 })[0])
      if (typeof first === 'number') return 'any'
      if (first === undefined) return { docs: model.docs, n: 0, returned: null }
      const after = codeOr(() => updated(first, change.update))
      const result = changedTo(model, [[first, after]])
      return typeof result === 'number' ? result : { ...result, returned: change.after ? after as Plain : first }
    }
  }
}

function replaced (model: Model, doc: Plain | undefined, replacement: Plain): ReturnType<typeof modelled> {
  if (doc === undefined) return { docs: model.docs, n: 0 }
  return changedTo(model, [[model.docs.includes(doc) ? doc : undefined, { _id: doc._id!, ...replacement }]])
}

function changedTo (model: Model, results: readonly (readonly [Plain | undefined, Plain | number])[]): { docs: Plain[], n: number } | number {
  const next = new Map(model.docs.map(doc => [doc, doc]))
  const added: Plain[] = []
  for (const [before, after] of results) {
    if (typeof after === 'number') return after
    const refusal = model.refusal(after)
    if (refusal !== undefined) return refusal
    if (before === undefined) added.push(after)
    else next.set(before, after)
  }
  return { docs: [...next.values(), ...added], n: results.length }
}

function judged (model: Model, change: Change): ReturnType<typeof modelled> {
  try {
    return modelled(model, change)
  } catch (error) {
    if (error instanceof Unjudged) return 'any'
    throw error
  }
}

async function applied (collection: Collection, change: Change): Promise<{ n: number, returned?: unknown }> {
  const filter = change.filter as Document
  switch (change.do) {
    case 'delete': return { n: (await (change.many ? collection.deleteMany(filter) : collection.deleteOne(filter))).deletedCount }
    case 'replace': {
      const { matchedCount, upsertedCount } = await collection.replaceOne(filter, change.replacement as Document, { upsert: change.upsert })
      return { n: matchedCount + upsertedCount }
    }
    case 'update': {
      const { upsert } = change
      const { matchedCount, upsertedCount } = await (change.many ? collection.updateMany(filter, change.update, { upsert }) : collection.updateOne(filter, change.update, { upsert }))
      return { n: matchedCount + upsertedCount }
    }
    case 'findAndUpdate': {
      const returned = await collection.findOneAndUpdate(filter, change.update, { sort: { ...change.order, _id: 1 }, returnDocument: change.after ? 'after' : 'before', ...TYPED })
      return { n: returned === null ? 0 : 1, returned }
    }
  }
}

async function checkChange (collection: Collection, model: Model, change: Change): Promise<void> {
  const wanted = judged(model, change)
  if (wanted === 'any') return
  const answer = await answerOf(applied(collection, change))
  const what = `change ${text(change)} with indexes ${text(model.indexes)}`
  if (typeof wanted === 'number') {
    expect(what, answer, { code: wanted })
  } else {
    expect(what, answer, { value: wanted.returned === undefined ? { n: wanted.n } : { n: wanted.n, returned: wanted.returned } })
    model.docs = wanted.docs
  }
  expect(`state after ${what}`, await collection.find({}, TYPED).toArray(), model.docs)
}

async function checkRead (collection: Collection, model: Model, read: Read): Promise<void> {
  const { skip, limit, batchSize } = read
  const filter = read.filter as Document
  const order: Order = read.tie ? { ...read.order, _id: 1 } : read.order
  const projection = read.tie ? read.projection : {}
  const matching = model.docs.filter(doc => matchesFilter(doc, read.filter))
  const all = codeOr(() => placed(matching, order))
  const what = `find ${text(read)} with indexes ${text(model.indexes)}`
  const ask = async (hint?: Document) => await answerOf(collection.find(filter, { ...TYPED, sort: order, skip, limit, projection, batchSize, ...(hint === undefined ? {} : { hint }) }).toArray())
  const hinted = model.indexes.filter(index => index.sparse !== true && index.partialFilterExpression === undefined)[read.hinted]
  const [planned, natural, byHint, count, complement, unordered] = await Promise.all([
    ask(), ask({ $natural: 1 }), hinted === undefined ? undefined : ask(hinted.key),
    collection.countDocuments(filter), collection.countDocuments({ $nor: [filter] }), collection.find(filter, TYPED).toArray()
  ])
  // MongoDB has no place in the order for such a document.
  const wanted = typeof all === 'number' ? 2 : all.slice(skip, limit === 0 ? undefined : skip + limit)
  const check = read.tie ? expectExactly : expectInOrder
  check(what, planned, wanted, read, matching)
  check(`by $natural: ${what}`, natural, wanted, read, matching)
  if (byHint !== undefined) check(`by ${text(hinted!.key)}: ${what}`, byHint, wanted, read, matching)
  const ids = matching.map(({ _id }) => text(_id))
  expect(`count of ${what}`, count, ids.length)
  expect(`complement of ${what}`, complement, model.docs.length - ids.length)
  expect(`unordered ${what}`, unordered.map(({ _id }) => text(_id)).sort(), ids.sort())
}

type Answer = { value: Document[] } | { code: number }
type Placed = ReturnType<typeof placed>

function expectExactly (what: string, answer: Answer, wanted: Placed | number, { projection }: Read): void {
  const projects = Object.keys(projection).length > 0
  expect(what, answer, typeof wanted === 'number' ? { code: wanted } : { value: wanted.map(({ doc }) => projects ? projected(doc, projection) : doc) })
}

/** The same places in the order, each taken by a document of its own. */
function expectInOrder (what: string, answer: Answer, wanted: Placed | number, { order }: Read, matching: readonly Plain[]): void {
  if (typeof wanted === 'number' || 'code' in answer) {
    expectExactly(what, answer, wanted, { projection: {} } as Read)
    return
  }
  const byText = new Map(matching.map(doc => [text(doc), doc]))
  const found = answer.value.map(doc => byText.get(text(doc)))
  if (found.includes(undefined) || new Set(found).size !== found.length) throw new Mismatch(`${what}\n  engine has ${text(answer.value)}, of which some do not match or come twice`)
  const keys = placed(found as Plain[], order).map(({ key }) => key)
  const inPlace = (found as Plain[]).map(doc => placed([doc], order)[0]!.key)
  expect(`places of ${what}`, inPlace.map(tupleText), keys.map(tupleText))
  expect(`keys of ${what}`, keys.map(tupleText), wanted.map(({ key }) => tupleText(key)))
}

/** Each index holds the documents it should, each once. */
async function checkIndexes (collection: Collection, model: Model): Promise<void> {
  await Promise.all(model.indexes.map(async index => {
    const filter = index.sparse === true ? { $or: Object.keys(index.key).map(path => ({ [path]: { $exists: true } })) } : index.partialFilterExpression ?? {}
    const found = await collection.find(filter, { hint: index.key, projection: { _id: 1 }, ...TYPED }).toArray()
    expect(`documents by index ${text(index)}`, found.map(({ _id }) => text(_id)).sort(), model.docs.filter(doc => isIn(index, doc)).map(({ _id }) => text(_id)).sort())
  }))
}

t.test(`the engine agrees with a naive evaluator on ${RUNS} random cases`, { timeout: 0 }, async t => {
  const engine = await startEmbeddedMongo({ inMemory: true })
  const client = new MongoClient(engine.uri, { ignoreUndefined: true })
  t.teardown(async () => {
    await client.close()
    await engine.stop()
  })
  const db = client.db('differential')
  let cases = 0
  const property = fc.asyncProperty(aCase, async drawn => {
    const collection = db.collection(`c${cases++}`)
    const model = await build(collection, drawn)
    for (const change of drawn.changes) await checkChange(collection, model, change)
    for (const read of drawn.reads) await checkRead(collection, model, read)
    await checkIndexes(collection, model)
    await collection.drop()
  })
  const result = await fc.check(property, { numRuns: RUNS, endOnFailure: false })
  t.notOk(result.failed, result.failed ? `seed ${result.seed} path ${result.counterexamplePath}\n${String(result.errorInstance)}\n${JSON.stringify(text(result.counterexample))}` : 'no wrong answer')
})
