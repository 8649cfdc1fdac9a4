/** Statistics for operators and tools. */
import type { Call, Command } from './command.ts'
import { mongoError } from '../values/errors.ts'
import { Query } from '../query/query.ts'
import type { Collection } from '../store/collection.ts'
import { DateTime, docOf, int32 } from '../values/values.ts'
import type { Doc } from '../values/values.ts'
import { SERVER_VERSION } from './handshake.ts'

/** Counts the documents of collections and their bytes, by reading all of them. */
async function measure (call: Call, collections: readonly Collection[]) {
  let size = 0
  let count = 0
  for (const collection of collections) {
    const query = new Query(collection, { op: 'always' }, call.view)
    await call.inSlices(() => query.next(document => {
      size += document.length
      return ++count > 0
    }))
  }
  const indexes = collections.reduce((sum, collection) => sum + collection.indexes.length, 0)
  return { count, size, avgObjSize: count === 0 ? 0 : size / count, indexes }
}

async function collStats (call: Call): Promise<Doc> {
  const ns = call.namespace()
  const collection = call.engine.catalog.get(ns)
  if (collection === undefined) throw mongoError('NamespaceNotFound', `Collection [${ns}] not found.`)
  const { count, size, avgObjSize, indexes } = await measure(call, [collection])
  return docOf({
    ns,
    size,
    count: int32(count),
    avgObjSize: count === 0 ? undefined : Math.round(avgObjSize),
    storageSize: size,
    nindexes: int32(indexes),
    capped: false
  })
}

async function dbStats (call: Call): Promise<Doc> {
  const collections = [...call.engine.catalog.all()].filter(({ database }) => database === call.database)
  const { count, size, avgObjSize, indexes } = await measure(call, collections)
  return docOf({
    db: call.database,
    collections: int32(collections.length),
    views: int32(0),
    objects: count,
    avgObjSize,
    dataSize: size,
    storageSize: size,
    indexes: int32(indexes)
  })
}

function serverStatus (call: Call): Doc {
  const { engine, nowMs } = call
  return docOf({
    host: engine.address,
    version: SERVER_VERSION,
    process: 'embedded-mongo',
    pid: BigInt(process.pid),
    uptime: (nowMs - engine.startedMs) / 1000,
    localTime: DateTime.fromMs(nowMs),
    connections: docOf({ current: int32(engine.connections) }),
    transactions: docOf({ currentOpen: BigInt(engine.store.transactions.size) }),
    metrics: docOf({ cursor: docOf({ open: docOf({ total: BigInt(engine.cursors.size) }) }) })
  })
}

export const diagnosticCommands: Record<string, Command> = {
  collStats: { fields: ['scale'], run: collStats },
  dbStats: { fields: ['scale', 'freeStorage'], run: dbStats },
  serverStatus: { fields: [], run: serverStatus }
}
