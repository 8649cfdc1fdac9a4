// `npm run doctor [-- --repair] [--json] [-- bump-epoch | reindex]`: checks the configured database, gives it a new
// epoch, or drops its index of words.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { DataFolderError } from '@tidelog/embedded-mongo'
import type { Db, MongoClient } from 'mongodb'
import { ConfigError, readConfig } from '../src/config.ts'
import { loadDotEnv } from '../src/dot-env.ts'
import { bumpEpoch } from '../src/doctor/epoch.ts'
import { type Defect, defects } from '../src/doctor/defect.ts'
import { type Diagnosis, type Progress, examine } from '../src/doctor/index.ts'
import { reindex } from '../src/search/reindex.ts'
import type { Blobs } from '../src/files/blobs.ts'
import { openBlobs } from '../src/files/open-blobs.ts'
import { withDatabase } from './database.ts'

const progressEveryMs = 2_000
const usage = 'npm run doctor [-- --repair] [--json]   or   npm run doctor -- bump-epoch | reindex'

interface Arguments {
  repair: boolean
  /** Print a line of JSON for each defect, and one for the result. */
  json: boolean
  order: 'check' | 'bump-epoch' | 'reindex'
}

process.exitCode = await main().catch((error: unknown) => {
  const { message } = error as Error
  if (error instanceof ConfigError) return fail(`Configuration: ${message}`)
  if (error instanceof DataFolderError) {
    return fail(`${message}. Stop the server first; with MONGODB_URL the doctor works beside it.`)
  }
  return fail(`The database cannot be examined: ${message}`)
})

/** The exit code: 1 when defects are left, 2 when nothing could be examined. */
async function main (): Promise<number> {
  loadDotEnv()
  const given = readArguments()
  const config = readConfig()
  const folder = join(resolve(config.DATA_DIR), 'files')
  const blobs = config.S3_URL !== '' || existsSync(folder) ? await openBlobs(config.S3_URL, folder) : undefined
  return await withDatabase(config, { appName: 'tidelog-doctor' }, async (client, db) => {
    if (given.order === 'check') return await check(client, db, given, blobs)
    if (given.order === 'reindex') {
      await reindex(db)
      console.log('The index of words is empty. Start the servers now: they build it again.')
      return 0
    }
    if (!await bumpEpoch(db)) return fail('No server has used this database yet: it has no epoch')
    console.log('The database has a new epoch. Start the servers now: clients with older cursors will begin again.')
    return 0
  })
}

async function check (
  client: MongoClient, db: Db, { repair, json }: Arguments, blobs: Blobs | undefined
): Promise<number> {
  const { onDefect, onProgress, onResult } = json ? asJson() : inWords()
  const result = await examine(client, db, { repair, blobs, onDefect, onProgress })
  onResult(result)
  return result.left > 0 ? 1 : 0
}

interface Printer {
  onDefect: (defect: Defect, repaired: boolean) => void
  onProgress: (progress: Progress) => void
  onResult: (result: Diagnosis) => void
}

function asJson (): Printer {
  return {
    onDefect: ({ code, conversationId, userId, detail }, repaired) => {
      const about = {
        ...(conversationId === '' ? {} : { conversationId }), ...(userId === undefined ? {} : { userId })
      }
      console.log(JSON.stringify({ defect: code, text: defects[code].text, ...about, detail, repaired }))
    },
    onProgress: () => {},
    onResult: ({ conversations, rows, defects, left }) => {
      console.log(JSON.stringify({ result: left > 0 ? 'defects' : 'sound', conversations, rows, defects, left }))
    }
  }
}

function inWords (): Printer {
  let told = Date.now()
  return {
    onDefect: ({ code, conversationId, detail }, repaired) => {
      const about = `${defects[code].text}: ${conversationId === '' ? '' : `${conversationId}: `}${detail}`
      console.log(`${repaired ? 'repaired' : 'defect'} ${code}: ${about}`)
    },
    onProgress: progress => {
      if (Date.now() - told < progressEveryMs) return
      told = Date.now()
      console.log(`… ${describe(progress)}`)
    },
    onResult: result => { console.log(`${describe(result)}, ${result.left} left`) }
  }
}

function describe ({ conversations, rows, defects: found }: Progress): string {
  return `${conversations} conversations, ${rows} rows, ${found} defects`
}

function readArguments (): Arguments {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { repair: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } }
    })
    const [order = 'check', ...others] = positionals
    const isKnown = order === 'bump-epoch' || order === 'reindex' || order === 'check'
    if (!isKnown || others.length > 0 || (order !== 'check' && (values.repair || values.json))) {
      throw new Error('Unknown arguments')
    }
    return { ...values, order }
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`)
    process.exit(2)
  }
}

function fail (line: string): number {
  console.error(line)
  return 2
}
