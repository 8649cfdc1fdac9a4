// `npm run adopt -- --from <url> [--dry-run | --watch | --final]`: brings the messages and users of the backend that
// Tidelog replaces into the configured database. docs/ADOPT.md goes through it step by step.
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { DataFolderError } from '@tidelog/embedded-mongo'
import { MongoClient } from 'mongodb'
import { Adoption, dryRun } from '../src/adopt/adopt.ts'
import type { OldMessage } from '../src/adopt/convert.ts'
import type { Report } from '../src/adopt/report.ts'
import { readConfig } from '../src/config.ts'
import { loadDotEnv } from '../src/dot-env.ts'
import { ConversationLog } from '../src/log/conversation-log.ts'
import { withDatabase } from './database.ts'

const progressEveryMs = 2_000
/** Milliseconds between two looks at the old backend with `--watch`. */
const watchEveryMs = 5_000
const usage = 'npm run adopt -- --from mongodb://host/database [--dry-run | --watch | --final]'

interface Arguments {
  from: string
  mode: 'once' | 'dry-run' | 'watch' | 'final'
}

process.exitCode = await main().catch((error: unknown) => {
  const hint = error instanceof DataFolderError ? '. Stop the server first' : ''
  console.error(`Not adopted: ${(error as Error).message}${hint}`)
  return 2
})

async function main (): Promise<number> {
  const { from, mode } = readArguments()
  loadDotEnv()
  const config = readConfig()
  const client = await MongoClient.connect(from, { appName: 'tidelog-adopt', serverSelectionTimeoutMS: 10_000 })
  try {
    const db = client.db()
    const source = { messages: db.collection<OldMessage>('directmessages'), users: db.collection<OldMessage>('users') }
    if (mode === 'dry-run') {
      print(await dryRun({ source, onProgress: progress() }))
      console.log('Nothing was written.')
      return 0
    }
    return await withDatabase(config, { appName: 'tidelog-adopt', create: true }, async (target, db) => {
      const log = await ConversationLog.open(target, db, { isSoleWriter: false })
      const options = { source, client: target, db, log: log.collections, onProgress: progress() }
      const adoption = await Adoption.open(options)
      return await adopt(adoption, mode)
    })
  } finally {
    await client.close()
  }
}

async function adopt (adoption: Adoption, mode: 'once' | 'watch' | 'final'): Promise<number> {
  if (mode === 'final') {
    const report = await adoption.finish()
    print(report)
    console.log('The adoption is finished. Run `npm run doctor`, then start the server with the old JWT_SECRET.')
    return report.codes.has('IN_USE') ? 1 : 0
  }
  print(await adoption.run())
  if (mode === 'once') return 0
  const stop = new AbortController()
  void Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(() => { stop.abort() })
  console.log('Watching. Ctrl-C ends it; what is adopted stays.')
  while (!stop.signal.aborted) {
    await delay(watchEveryMs, undefined, { signal: stop.signal }).catch(() => {})
    if (stop.signal.aborted) break
    const report = await adoption.run()
    if (report.changed > 0) print(report)
  }
  return 0
}

function print (report: Report): void {
  for (const line of report.lines()) console.log(line)
}

function progress (): (report: Report) => void {
  let told = 0
  return ({ messages, changed, conversations, rows }) => {
    if (Date.now() - told < progressEveryMs) return
    told = Date.now()
    const written = `${conversations} conversations with ${rows} messages written`
    console.log(`… ${messages} messages looked at, ${changed} new or changed, ${written}`)
  }
}

function readArguments (): Arguments {
  const { values: { from, ...modes } } = parseArgs({
    options: {
      from: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      watch: { type: 'boolean', default: false },
      final: { type: 'boolean', default: false }
    }
  })
  const [mode = 'once', ...more] = (['dry-run', 'watch', 'final'] as const).filter(name => modes[name])
  if (from === undefined || more.length > 0) throw new Error(`say where the old messages are: ${usage}`)
  return { from, mode }
}
