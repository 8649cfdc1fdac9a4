/** What operators and tools ask. */
import type { Call, Command } from '../command.ts'
import { mongoError } from '../errors.ts'
import { Query } from '../query.ts'
import type { Collection } from '../store/collection.ts'
import { DateTime, docOf, int32 } from '../values.ts'
import type { Doc } from '../values.ts'
import { SERVER_VERSION } from './handshake.ts'

/** The bytes of a collection's documents, by reading all of them. */
async function measure (call: Call, collection: Collection): Promise<{ count: number, bytes: number }> {
  const query = new Query(collection, { op: 'always' }, call.view)
  let bytes = 0
  let count = 0
  await call.inTurns(() => query.next(document => {
    bytes += document.length
    return ++count > 0
  }))
  return { count, bytes }
}

async function collStats (call: Call): Promise<Doc> {
  const namespace = call.namespace()
  const collection = call.engine.catalog.get(namespace)
  if (collection === undefined) throw mongoError('NamespaceNotFound', `Collection [${namespace}] not found.`)
  const { count, bytes } = await measure(call, collection)
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

async function dbStats (call: Call): Promise<Doc> {
  const collections = [...call.engine.catalog.all()].filter(({ database }) => database === call.database)
  let objects = 0
  let size = 0
  for (const collection of collections) {
    const { count, bytes } = await measure(call, collection)
    objects += count
    size += bytes
  }
  return docOf({
    db: call.database,
    collections: int32(collections.length),
    views: int32(0),
    objects,
    avgObjSize: objects === 0 ? 0 : size / objects,
    dataSize: size,
    storageSize: size,
    indexes: int32(collections.reduce((sum, { indexes }) => sum + indexes.length, 0))
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
