/** An engine on a folder of its own with a connected official driver, both gone at the end of the test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import type { Db, MongoClientOptions } from 'mongodb'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import type { EmbeddedMongo } from '@tidelog/embedded-mongo'

export type Running = { engine: EmbeddedMongo, client: MongoClient, db: Db, dataDir: string }

type Test = { teardown: (handler: () => Promise<void> | void) => unknown }

export function temporaryFolder (t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'embedded-mongo-test-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  return folder
}

export async function startEngine (t: Test, dataDir = temporaryFolder(t), options: MongoClientOptions = {}): Promise<Running> {
  const engine = await startEmbeddedMongo({ dataDir })
  const client = new MongoClient(engine.uri, options)
  t.teardown(async () => {
    await client.close()
    await engine.stop()
  })
  return { engine, client, db: client.db('test'), dataDir }
}
