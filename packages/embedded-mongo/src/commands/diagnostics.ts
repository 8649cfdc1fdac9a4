/** What operators and tools ask. */
import type { Call, Command } from '../command.ts'
import { mongoError } from '../errors.ts'
import type { Collection } from '../store/collection.ts'
import { DateTime, docOf, int32 } from '../values.ts'
import type { Doc } from '../values.ts'
import { SERVER_VERSION } from './handshake.ts'

/** The bytes of a collection's documents, by reading all of them. */
function measure (call: Call, collection: Collection): { count: number, bytes: number } {
  let count = 0
  let bytes = 0
  call.view.scan(collection.prefix, collection.end, false, key => {
    count++
    bytes += call.view.peek(key)!.length
    return true
  })
  return { count, bytes }
}

function collStats (call: Call): Doc {
  const namespace = `${call.database}.${call.collectionName()}`
  const collection = call.engine.catalog.get(namespace)
  if (collection === undefined) throw mongoError('NamespaceNotFound', `Collection [${namespace}] not found.`)
  const { count, bytes } = measure(call, collection)
  return docOf({
    ns: namespace,
    size: bytes,
    count: int32(count),
    avgObjSize: count === 0 ? undefined : Math.round(bytes / count),
    storageSize: bytes,
    nindexes: int32(collection.indexes.length),
    capped: false
  })
}

function dbStats (call: Call): Doc {
  let collections = 0
  let indexes = 0
  let objects = 0
  let size = 0
  for (const collection of call.engine.catalog.all()) {
    if (collection.database !== call.database) continue
    const { count, bytes } = measure(call, collection)
    collections++
    indexes += collection.indexes.length
    objects += count
    size += bytes
  }
  return docOf({
    db: call.database,
    collections: int32(collections),
    views: int32(0),
    objects,
    avgObjSize: objects === 0 ? 0 : size / objects,
    dataSize: size,
    storageSize: size,
    indexes: int32(indexes)
  })
}

function serverStatus (call: Call): Doc {
  const { engine, nowMs } = call
  const { insert, query, update, delete: deleted, getmore, command } = engine.counters
  return docOf({
    host: engine.address,
    version: SERVER_VERSION,
    process: 'embedded-mongo',
    pid: BigInt(process.pid),
    uptime: (nowMs - engine.startedMs) / 1000,
    uptimeMillis: BigInt(nowMs - engine.startedMs),
    localTime: DateTime.fromMs(nowMs),
    connections: docOf({ current: int32(engine.connections) }),
    opcounters: docOf({
      insert: BigInt(insert), query: BigInt(query), update: BigInt(update), delete: BigInt(deleted), getmore: BigInt(getmore), command: BigInt(command)
    }),
    transactions: docOf({ currentOpen: BigInt(engine.store.transactions.size) }),
    metrics: docOf({ cursor: docOf({ open: docOf({ total: BigInt(engine.cursors.size) }) }) }),
    storageEngine: docOf({ name: 'lmdb', persistent: true })
  })
}

export const diagnosticCommands: Record<string, Command> = {
  collStats: { fields: ['scale'], run: collStats },
  dbStats: { fields: ['scale', 'freeStorage'], run: dbStats },
  serverStatus: { fields: [], run: serverStatus }
}
