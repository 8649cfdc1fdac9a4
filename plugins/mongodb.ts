import { resolve } from 'node:path'
import fastifyMongodb from '@fastify/mongodb'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import fp from 'fastify-plugin'
import type { MongoClient } from 'mongodb'
import { type Config, databaseName } from '../src/config.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** True while the database is the embedded engine of this process: nobody else writes to it. */
    isSoleWriter: boolean
  }
}

/** Connects `fastify.mongo` to MONGODB_URL, or starts the embedded engine on DATA_DIR and connects to that. */
export default fp(async function mongodb (app, config: Config) {
  const embedded = config.MONGODB_URL === ''
  let url = config.MONGODB_URL
  if (embedded) {
    const engine = await startEmbeddedMongo({ dataDir: resolve(config.DATA_DIR) })
    url = engine.uri
    // Hooks run last in, first out: the driver, which is registered below, closes before the engine does.
    app.addHook('onClose', () => engine.stop())
    app.log.info({ dataDir: resolve(config.DATA_DIR) }, 'embedded database started')
  }
  app.decorate('isSoleWriter', embedded)
  await app.register(fastifyMongodb, {
    url,
    database: databaseName(config),
    appName: 'tidelog',
    // The engine answers one command after the other: more connections would only queue there.
    maxPoolSize: embedded ? 16 : 100,
    // The engine is there, and answers when this machine lets it.
    serverSelectionTimeoutMS: embedded ? 60_000 : 7_500,
    readConcern: { level: 'majority' },
    writeConcern: { w: 'majority', journal: true },
    readPreference: 'primary',
    ignoreUndefined: true
  })
  await requireTransactions(app.mongo.client)
}, { name: 'mongodb', dependencies: [] })

/** The log needs transactions, which a standalone server does not have: say so now, not at the first message. */
async function requireTransactions (client: MongoClient): Promise<void> {
  const hello = await client.db('admin').command({ hello: 1 })
  if (hello['setName'] === undefined && hello['msg'] !== 'isdbgrid') {
    throw new Error('MONGODB_URL names a standalone MongoDB server, which has no transactions: start it as a replica set (one member will do: mongod --replSet rs0, then rs.initiate())')
  }
}
