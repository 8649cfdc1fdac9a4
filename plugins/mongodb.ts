import { resolve } from 'node:path'
import fastifyMongodb from '@fastify/mongodb'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import fp from 'fastify-plugin'
import type { MongoClient } from 'mongodb'
import { type Config, databaseName } from '../src/config.ts'
import { isUnreachable } from '../src/log/unreachable.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** True while the database is the embedded engine of this process: nobody else writes to it. */
    isSoleWriter: boolean
    /** Settles if the database can never answer again in this process: end it, so that a supervisor starts a new one. */
    databaseFailed: Promise<Error>
  }
}

/**
 * Milliseconds that an operation gets. The driver tries a read and a commit twice, so that a caller is told within 10 s
 * that the database does not answer. Building an index takes as long as it takes (src/log/no-deadline.ts).
 */
const answerMsMax = 4_000
const selectionMsMax = 4_500
/** The embedded engine is there, and answers when this machine lets it; that it died is seen (`databaseFailed`). */
const embeddedSelectionMsMax = 60_000

const embeddedOptions = {
  // The engine answers one command after the other: more connections would only queue there.
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
  // A database elsewhere may come back.
  let failed = new Promise<Error>(() => {})
  if (embedded) {
    const engine = await startEmbeddedMongo({ dataDir: resolve(config.DATA_DIR) })
    url = engine.uri
    failed = engine.failed
    // Hooks run last in, first out: the driver, which is registered below, closes before the engine does.
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
    await requireTransactions(app.mongo.client)
  })
  // What waits for an engine that is gone is answered now, and not when the driver gives up.
  void failed.then(async error => {
    app.log.fatal({ err: error }, 'the embedded database has failed')
    await app.mongo.client.close(true)
  })
}, { name: 'mongodb', dependencies: [] })

/** Opens the database; that it cannot be reached names the variable to look at. */
async function openDatabase (url: string, open: () => Promise<void>): Promise<void> {
  try {
    await open()
  } catch (error) {
    if (url === '' || !isUnreachable(error)) throw error
    throw new Error(`MONGODB_URL (${withoutSecrets(url)}) cannot be reached: ${(error as Error).message}`, { cause: error })
  }
}

/** The hosts alone: user, password and options may be secrets. */
function withoutSecrets (url: string): string {
  return url.replace(/^(mongodb(?:\+srv)?:\/\/)(?:.*@)?([^/?&]*).*$/s, '$1$2')
}

/** The log needs transactions, which a standalone server does not have: say so now, not at the first message. */
async function requireTransactions (client: MongoClient): Promise<void> {
  const hello = await client.db('admin').command({ hello: 1 })
  if (hello['setName'] === undefined && hello['msg'] !== 'isdbgrid') {
    throw new Error('MONGODB_URL names a standalone MongoDB server, which has no transactions: start it as a replica set (one member will do: mongod --replSet rs0, then rs.initiate())')
  }
}
