#!/usr/bin/env node
/** Runs the engine as a process of its own, for other processes on this machine, or backs up a data folder. */
import { parseArgs } from 'node:util'
import { backupFolder } from './host/backup.ts'
import { startEmbeddedMongo } from './index.ts'
import type { EmbeddedMongoOptions } from './index.ts'

const USAGE = `usage: embedded-mongo --data DIR [--port N]   serve DIR on 127.0.0.1 (default port 27017)
       embedded-mongo backup --data DIR --to DIR2   copy DIR, in use or not, to the new folder DIR2`

const DEFAULT_PORT = '27017'

async function main (args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      port: { type: 'string', default: DEFAULT_PORT },
      to: { type: 'string' },
      help: { type: 'boolean' }
    }
  })
  const [verb = 'serve'] = positionals
  if (values.help === true) {
    console.log(USAGE)
  } else if (verb === 'backup' && values.data !== undefined && values.to !== undefined) {
    await backupFolder(values.data, values.to)
    console.log(`copied ${values.data} to ${values.to}`)
  } else if (verb === 'serve' && values.data !== undefined && /^\d{1,5}$/.test(values.port)) {
    await serve({ dataDir: values.data, port: Number(values.port) })
  } else {
    throw new Error(USAGE)
  }
}

/** Prints the address when clients can connect. Ends at SIGTERM or SIGINT, with everything on disk. */
async function serve (options: EmbeddedMongoOptions): Promise<void> {
  const engine = await startEmbeddedMongo(options)
  console.log(engine.uri)
  const stopped = new Promise<undefined>(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => { resolve(undefined) })
  })
  // The engine's thread does not keep the process alive; this does.
  const alive = setInterval(() => {}, 2 ** 30)
  const failure = await Promise.race([stopped, engine.failed])
  clearInterval(alive)
  await engine.stop()
  if (failure !== undefined) throw failure
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  console.error(`embedded-mongo: ${(error as Error).message}`)
  process.exitCode = 1
}
