import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { type Db, MongoClient } from 'mongodb'
import { type Config, databaseName } from '../src/config.ts'

export interface OpenOptions {
  /** Names the program in the database's log. */
  appName: string
  /** Creates the folder of the embedded database if there is none. */
  create?: boolean
}

/**
 * Works on the database that the configuration names, and closes it. A server that runs on the embedded engine keeps
 * its folder to itself.
 * @throws DataFolderError if a server uses the folder
 */
export async function withDatabase<T> (
  config: Config, { appName, create = false }: OpenOptions, work: (client: MongoClient, db: Db) => Promise<T>
): Promise<T> {
  const dataDir = resolve(config.DATA_DIR)
  const embedded = config.MONGODB_URL === ''
  if (embedded && !create && !existsSync(dataDir)) throw new Error(`there is no folder ${dataDir} (DATA_DIR)`)
  const engine = embedded ? await startEmbeddedMongo({ dataDir }) : undefined
  try {
    const client = await MongoClient.connect(engine?.uri ?? config.MONGODB_URL, {
      appName,
      readConcern: { level: 'majority' },
      writeConcern: { w: 'majority', journal: true },
      readPreference: 'primary',
      ignoreUndefined: true
    })
    try {
      return await work(client, client.db(databaseName(config)))
    } finally {
      await client.close()
    }
  } finally {
    await engine?.stop()
  }
}
