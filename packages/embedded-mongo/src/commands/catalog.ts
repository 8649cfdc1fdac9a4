/** Creates, drops and lists collections and indexes. */
import { encode } from '../bson/index.ts'
import type { Call, Command, Reply } from './command.ts'
import { mongoError } from '../values/errors.ts'
import { matches, parseFilter } from '../filter/index.ts'
import { buildIndex } from '../store/background.ts'
import type { Collection } from '../store/collection.ts'
import type { Index } from '../store/index-definition.ts'
import { Locked } from '../store/writer.ts'
import { docOf, int32, isDoc, NOTHING, toInteger } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import { arraySupply } from '../query/supply.ts'
import { collectionOf, ensureCollection, firstReply } from './find.ts'
import { checkIndexSpec, existingIndex } from './index-spec.ts'
import { whenUnlocked } from './write-batch.ts'

function existing (call: Call): Collection {
  const namespace = call.namespace()
  const collection = call.engine.catalog.get(namespace)
  if (collection === undefined) throw mongoError('NamespaceNotFound', `ns does not exist: ${namespace}`)
  return collection
}

async function create (call: Call): Promise<Doc> {
  return await whenUnlocked(call, () => {
    if (collectionOf(call) !== undefined) {
      throw mongoError('NamespaceExists', `Collection ${call.namespace()} already exists.`)
    }
    ensureCollection(call)
    return new Map()
  })
}

async function drop (call: Call): Promise<Doc> {
  const { catalog } = call.engine
  return await withoutTransactions(call, collection => {
    if (collection === undefined) return new Map()
    catalog.drop(collection)
    call.engine.reclaim()
    return docOf({ nIndexesWas: int32(collection.indexes.length), ns: collection.namespace })
  })
}

async function dropDatabase (call: Call): Promise<Doc> {
  const { catalog } = call.engine
  for (const { namespace, database } of [...catalog.all()]) {
    if (database !== call.database) continue
    const dropIt = (collection: Collection | undefined) => { if (collection !== undefined) catalog.drop(collection) }
    await withoutTransactions(call, dropIt, namespace)
  }
  call.engine.reclaim()
  return docOf({ dropped: call.database })
}

/** Waits until no open transaction has written to the collection, then calls `change` before another one can. */
async function withoutTransactions<T> (
  call: Call, change: (collection: Collection | undefined) => T, namespace = call.namespace()
): Promise<T> {
  return await whenUnlocked(call, () => {
    const collection = call.engine.catalog.get(namespace)
    const holder = collection && call.engine.store.lockHolder(collection.prefix)
    if (holder !== undefined) throw new Locked(holder)
    return change(collection)
  })
}

async function createIndexes (call: Call): Promise<Doc> {
  const { catalog } = call.engine
  const specs = call.docs('indexes').map(checkIndexSpec)
  if (specs.length === 0) throw mongoError('BadValue', 'Must specify at least one index to create')
  const { found, collection, before, built } = await withoutTransactions(call, found => {
    const collection = found ?? ensureCollection(call)
    const before = collection.indexes.length
    // All are checked before the first is added, so that a conflict leaves nothing behind.
    for (const spec of specs) existingIndex(collection, spec)
    const added: Index[] = []
    for (const spec of specs) {
      if (existingIndex(collection, spec) === undefined) added.push(catalog.addIndex(collection, spec))
    }
    const built = buildAll(call, collection, added)
    for (const index of added) index.building = built.catch(() => {})
    return { found, collection, before, built }
  })
  await built
  await builtByOthers(collection, specs)
  const after = collection.indexes.length
  return docOf({
    numIndexesBefore: int32(before),
    numIndexesAfter: int32(after),
    createdCollectionAutomatically: found === undefined,
    note: after === before ? 'all indexes already exist' : undefined
  })
}

async function buildAll (call: Call, collection: Collection, added: readonly Index[]): Promise<void> {
  const { catalog, store } = call.engine
  try {
    for (const index of added) await buildIndex(store, collection, index)
    if (collection.dropped || added.some(index => index.dropped)) {
      const names = added.map(index => index.name).join(', ')
      throw mongoError('IndexBuildAborted', `a drop ended the index build of ${names}`)
    }
  } catch (error) {
    for (const index of added) if (!collection.dropped && !index.dropped) catalog.removeIndex(collection, index)
    call.engine.reclaim()
    throw error
  }
  for (const index of added) catalog.markReady(collection, index)
}

/** Waits for indexes that another client is building. If its build fails, so does this command. */
async function builtByOthers (collection: Collection, specs: readonly Doc[]): Promise<void> {
  for (const spec of specs) {
    const index = existingIndex(collection, spec)
    await index?.building
    if (index?.ready !== true) {
      throw mongoError('OperationFailed', `another client's build of the index ${String(spec.get('name'))} has failed`)
    }
  }
}

async function dropIndexes (call: Call): Promise<Doc> {
  const { catalog } = call.engine
  return await withoutTransactions(call, () => {
    const collection = existing(call)
    const before = collection.indexes.length
    for (const index of indexesNamed(collection, call.body.get('index'))) catalog.removeIndex(collection, index)
    call.engine.reclaim()
    return docOf({ nIndexesWas: int32(before) })
  })
}

function indexesNamed (collection: Collection, wanted: Value | undefined): Index[] {
  if (wanted === '*') return collection.indexes.slice(1)
  const names = Array.isArray(wanted) ? wanted : [wanted]
  return names.map(nameOrKey => {
    const key = isDoc(nameOrKey) ? encode(nameOrKey) : undefined
    const isWanted = ({ name, spec }: Index) =>
      key === undefined ? name === nameOrKey : encode(spec.get('key') as Doc).equals(key)
    const index = collection.indexes.find(isWanted)
    if (index === undefined) {
      throw mongoError('IndexNotFound',
        key === undefined ? `index not found with name [${String(nameOrKey)}]` : "can't find index with key")
    }
    if (index.name === '_id_') throw mongoError('InvalidOptions', 'cannot drop _id index')
    return index
  })
}

function batchSizeOf (call: Call): number {
  const size = call.doc('cursor')?.get('batchSize')
  return size === undefined ? Infinity : toInteger(size) ?? Infinity
}

function listIndexes (call: Call): Reply | Promise<Reply> {
  const collection = existing(call)
  const specs = collection.indexes.filter(index => index.ready).map(index => encode(index.spec))
  return firstReply(call, collection.namespace, arraySupply(specs), { batchSize: batchSizeOf(call) })
}

function listCollections (call: Call): Reply | Promise<Reply> {
  const filter = parseFilter(call.doc('filter') ?? NOTHING)
  const nameOnly = call.boolean('nameOnly', false)
  const listed: Buffer[] = []
  for (const collection of call.engine.catalog.all()) {
    if (collection.database !== call.database) continue
    const doc = docOf({
      name: collection.name,
      type: 'collection',
      options: nameOnly ? undefined : new Map(),
      info: nameOnly ? undefined : docOf({ readOnly: false, uuid: collection.uuid }),
      idIndex: nameOnly ? undefined : collection.indexes[0]!.spec
    })
    if (matches(filter, doc)) listed.push(encode(doc))
  }
  const namespace = `${call.database}.$cmd.listCollections`
  return firstReply(call, namespace, arraySupply(listed), { batchSize: batchSizeOf(call) })
}

function listDatabases (call: Call): Doc {
  const filter = parseFilter(call.doc('filter') ?? new Map())
  const names = new Set([...call.engine.catalog.all()].map(collection => collection.database))
  const databases = [...names].sort().map(name => docOf({ name, sizeOnDisk: 0n, empty: false }))
    .filter(doc => matches(filter, doc))
  if (call.boolean('nameOnly', false)) {
    return docOf({ databases: databases.map(doc => docOf({ name: doc.get('name') })) })
  }
  return docOf({ databases, totalSize: 0n, totalSizeMb: 0n })
}

export const catalogCommands: Record<string, Command> = {
  create: { fields: [], transactional: true, writes: true, run: create },
  drop: { fields: [], writes: true, run: drop },
  dropDatabase: { fields: [], writes: true, run: dropDatabase },
  createIndexes: { fields: ['indexes', 'commitQuorum'], writes: true, run: createIndexes },
  dropIndexes: { fields: ['index'], writes: true, run: dropIndexes },
  listIndexes: { fields: ['cursor'], run: listIndexes },
  listCollections: { fields: ['filter', 'cursor', 'nameOnly', 'authorizedCollections'], run: listCollections },
  listDatabases: { fields: ['filter', 'nameOnly', 'authorizedDatabases'], adminOnly: true, run: listDatabases }
}
