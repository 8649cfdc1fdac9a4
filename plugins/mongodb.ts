import { resolve } from 'node:path'
import fastifyMongodb from '@fastify/mongodb'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import fp from 'fastify-plugin'
import type { MongoClient } from 'mongodb'
import { type Config, databaseName } from '../src/config.ts'
import { bulkWriteWireVersion } from '../src/log/commit/statements.ts'
import { readCausally } from '../src/log/read/causal-reads.ts'
import { isUnreachable } from '../src/log/unreachable.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** True if the database is this process's embedded engine: no other process writes to it. */
    isSoleWriter: boolean
    /** True if the database is a sharded cluster. */
    isSharded: boolean
    /** True if the database takes the statements of a transaction in one command, whatever their collections. */
    hasBulkWrite: boolean
    /**
     * Resolves with the error if this process can never reach its database again. End the process then, so that a
     * supervisor starts a new one.
     */
    databaseFailed: Promise<Error>
  }
}

/**
 * Milliseconds that an operation may take. The driver tries a read and a commit twice, so a caller gets the failure
 * within 10 s. Building an index has no limit (src/log/no-deadline.ts).
 */
const answerMsMax = 4_000
const selectionMsMax = 4_500
/** The embedded engine always exists, but a busy machine may delay it. `databaseFailed` reports its death. */
const embeddedSelectionMsMax = 60_000

const embeddedOptions = {
  // The engine runs one command at a time: more connections would only queue there.
  maxPoolSize: 16,
  serverSelectionTimeoutMS: embeddedSelectionMsMax
}
const remoteOptions = {
  maxPoolSize: 100,
  serverSelectionTimeoutMS: selectionMsMax,
  connectTimeoutMS: answerMsMax,
  socketTimeoutMS: answerMsMax,
  waitQueueTimeoutMS: answerMsMax
}

/** Connects `fastify.mongo` to MONGODB_URL, or starts the embedded engine on DATA_DIR and connects to that. */
export default fp(async function mongodb (app, config: Config) {
  const embedded = config.MONGODB_URL === ''
  let url = config.MONGODB_URL
  // A remote database may come back, so this never resolves.
  let failed = new Promise<Error>(() => {})
  if (embedded) {
    const engine = await startEmbeddedMongo({ dataDir: resolve(config.DATA_DIR) })
    url = engine.uri
    failed = engine.failed
    // Hooks run last in, first out: the driver, which is registered below, closes before the engine.
    app.addHook('onClose', () => engine.stop())
    app.log.info({ dataDir: resolve(config.DATA_DIR) }, 'embedded database started')
  }
  app.decorate('isSoleWriter', embedded)
  app.decorate('databaseFailed', failed)
  await openDatabase(config.MONGODB_URL, async () => {
    await app.register(fastifyMongodb, {
      url,
      database: databaseName(config),
      appName: 'tidelog',
      ...(embedded ? embeddedOptions : remoteOptions),
      readConcern: { level: 'majority' },
      writeConcern: { w: 'majority', journal: true },
      readPreference: 'primary',
      ignoreUndefined: true
    })
    const server = await requireTransactions(app.mongo.client)
    app.decorate('isSharded', server.isSharded)
    app.decorate('hasBulkWrite', server.hasBulkWrite)
    if (!embedded) readCausally(app.mongo.client)
  })
  // Fail operations that wait for a dead engine now, before the driver gives up.
  void failed.then(async error => {
    app.log.fatal({ err: error }, 'the embedded database has failed')
    await app.mongo.client.close(true)
  })
}, { name: 'mongodb', dependencies: [] })

/** Opens the database. If it cannot be reached, the error names the variable to check. */
async function openDatabase (url: string, open: () => Promise<void>): Promise<void> {
  try {
    await open()
  } catch (error) {
    if (url === '' || !isUnreachable(error)) throw error
    throw new Error(`MONGODB_URL (${withoutSecrets(url)}) cannot be reached: ${(error as Error).message}`, {
      cause: error
    })
  }
}

/** Keeps only the hosts: user, password and options may be secrets. */
function withoutSecrets (url: string): string {
  return url.replace(/^(mongodb(?:\+srv)?:\/\/)(?:.*@)?([^/?&]*).*$/s, '$1$2')
}

/**
 * The log needs transactions, which a standalone server lacks. Fail now, not at the first message.
 * @returns what else the server is
 */
async function requireTransactions (client: MongoClient): Promise<{ isSharded: boolean, hasBulkWrite: boolean }> {
  const hello = await client.db('admin').command({ hello: 1 })
  const isSharded = hello['msg'] === 'isdbgrid'
  if (hello['setName'] === undefined && !isSharded) {
    throw new Error(
      'MONGODB_URL names a standalone MongoDB server, which has no transactions: start it as a replica set (one ' +
        'member will do: mongod --replSet rs0, then rs.initiate())'
    )
  }
  return { isSharded, hasBulkWrite: hello['maxWireVersion'] >= bulkWriteWireVersion }
}
