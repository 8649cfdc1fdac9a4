// `npm run doctor [-- --repair] [-- bump-epoch]`: checks the configured database, or gives it a new epoch after a restore.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { DataFolderError, startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { type Db, MongoClient } from 'mongodb'
import { type Config, ConfigError, databaseName, readConfig } from '../src/config.ts'
import { loadDotEnv } from '../src/dot-env.ts'
import { bumpEpoch } from '../src/doctor/epoch.ts'
import { defects } from '../src/doctor/defect.ts'
import { type Progress, examine } from '../src/doctor/index.ts'

const progressEveryMs = 2_000
const usage = 'npm run doctor [-- --repair]   or   npm run doctor -- bump-epoch'

process.exitCode = await main().catch((error: unknown) => {
  const { message } = error as Error
  if (error instanceof ConfigError) return fail(`Configuration: ${message}`)
  if (error instanceof DataFolderError) return fail(`${message}. Stop the server first; with MONGODB_URL the doctor works beside it.`)
  return fail(`The database cannot be examined: ${message}`)
})

/** The exit code: 1 when defects are left, 2 when nothing could be examined. */
async function main (): Promise<number> {
  loadDotEnv()
  const { repair, bump } = readArguments()
  return await withDatabase(readConfig(), async (client, db) => {
    if (!bump) return await check(client, db, repair)
    if (!await bumpEpoch(db)) return fail('No server has used this database yet: it has no epoch')
    console.log('The database has a new epoch. Start the servers now: clients with older cursors are told to begin again.')
    return 0
  })
}

async function check (client: MongoClient, db: Db, repair: boolean): Promise<number> {
  let told = Date.now()
  const result = await examine(client, db, {
    repair,
    onDefect: ({ code, conversationId, detail }, repaired) => {
      console.log(`${repaired ? 'repaired' : 'defect'} ${code}: ${defects[code].text}: ${conversationId === '' ? '' : `${conversationId}: `}${detail}`)
    },
    onProgress: progress => {
      if (Date.now() - told < progressEveryMs) return
      told = Date.now()
      console.log(`… ${describe(progress)}`)
    }
  })
  console.log(`${describe(result)}, ${result.left} left`)
  return result.left > 0 ? 1 : 0
}

function describe ({ conversations, rows, defects: found }: Progress): string {
  return `${conversations} conversations, ${rows} rows, ${found} defects`
}

async function withDatabase<T> (config: Config, work: (client: MongoClient, db: Db) => Promise<T>): Promise<T> {
  const dataDir = resolve(config.DATA_DIR)
  const embedded = config.MONGODB_URL === ''
  if (embedded && !existsSync(dataDir)) throw new Error(`there is no folder ${dataDir} (DATA_DIR)`)
  const engine = embedded ? await startEmbeddedMongo({ dataDir }) : undefined
  try {
    const client = await MongoClient.connect(engine?.uri ?? config.MONGODB_URL, {
      appName: 'tidelog-doctor',
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

function readArguments (): { repair: boolean, bump: boolean } {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { repair: { type: 'boolean', default: false } } })
    const bump = positionals[0] === 'bump-epoch'
    if (positionals.length > 1 || (positionals.length === 1 && !bump) || (bump && values.repair)) throw new Error('Unknown arguments')
    return { repair: values.repair, bump }
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`)
    process.exit(2)
  }
}

function fail (line: string): number {
  console.error(line)
  return 2
}
