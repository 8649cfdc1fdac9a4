/** Measures the time from the call of `startEmbeddedMongo` until the engine can be used. */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { databaseOf } from './data.ts'
import { median } from '../../../bench/lib/statistics.ts'

export interface Opening {
  name: string
  /** Milliseconds until it listens. */
  readyMs: number
  /** Milliseconds until the driver has connected and has the answer to its first find. */
  answeredMs: number
}

/** Opens the large database and an empty folder in turn. No process may have them open; the system has cached the files. */
export async function openings (folder: string, large: string, rounds: number): Promise<Opening[]> {
  const empty = join(folder, 'empty')
  mkdirSync(empty, { recursive: true })
  const samples = new Map([[large, [] as Opening[]], [empty, []]])
  for (let round = 0; round < rounds; round++) {
    for (const [dataDir, taken] of samples) taken.push(await openOnce(dataDir))
  }
  return [...samples.values()].map(taken => ({
    name: taken[0]!.name,
    readyMs: median(taken.map(({ readyMs }) => readyMs)),
    answeredMs: median(taken.map(({ answeredMs }) => answeredMs))
  }))
}

async function openOnce (dataDir: string): Promise<Opening> {
  const start = performance.now()
  const engine = await startEmbeddedMongo({ dataDir })
  const readyMs = performance.now() - start
  const client = new MongoClient(engine.uri)
  const { documents, entries } = databaseOf(client, 0)
  await documents.findOne({ _id: 0 })
  const answeredMs = performance.now() - start
  const count = await documents.estimatedDocumentCount() + await entries.estimatedDocumentCount()
  await client.close()
  await engine.stop()
  const gigabytes = statSync(join(dataDir, 'data.mdb')).size / 1e9
  return { name: count === 0 ? 'an empty folder' : `${count.toLocaleString('en')} documents, ${gigabytes.toFixed(2)} GB`, readyMs, answeredMs }
}
