/** An engine with a connected official driver. The tests of a file share one engine and have a database each. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serialize } from 'bson'
import { MongoClient } from 'mongodb'
import type { Db, MongoClientOptions, MongoServerError } from 'mongodb'
import root from 'tap'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import type { EmbeddedMongo } from '@tidelog/embedded-mongo'
import { decode } from '../../src/bson/index.ts'
import { dispatch } from '../../src/server/dispatch.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { Doc } from '../../src/values/values.ts'
import { readRequest } from '../../src/wire/messages.ts'
import { message } from './wire-client.ts'

export type Running = { engine: EmbeddedMongo, client: MongoClient, db: Db }

type Test = { teardown: (handler: () => Promise<void> | void) => unknown }

let shared: Promise<EmbeddedMongo> | undefined
let databases = 0

export function temporaryFolder (t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'embedded-mongo-test-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  return folder
}

/** A database of the file's engine for one test. */
export async function startEngine (t: Test, options: MongoClientOptions = {}): Promise<Running> {
  shared ??= startShared()
  const engine = await shared
  const client = new MongoClient(engine.uri, options)
  t.teardown(async () => { await client.close() })
  return { engine, client, db: client.db(`test${databases++}`) }
}

async function startShared (): Promise<EmbeddedMongo> {
  const engine = await startEmbeddedMongo({ dataDir: temporaryFolder(root) })
  // Teardowns run last to first: the engine stops before its folder goes.
  root.teardown(async () => { await engine.stop() })
  return engine
}

/** An engine in this thread, for what no client can bring about. */
export function openEngine (t: Test): Engine {
  const engine = new Engine({ path: join(temporaryFolder(t), 'data.mdb'), sync: true })
  t.teardown(async () => { await engine.close() })
  return engine
}

/** Its answer to one command. */
export async function command (engine: Engine, body: object, database = 'test'): Promise<Doc> {
  const reply = await dispatch(engine, readRequest(message(1, serialize({ ...body, $db: database }))), 1)
  return Buffer.isBuffer(reply) ? decode(reply) : reply as Doc
}

/** An engine of the test's own on a folder that outlives it. */
export async function startEngineIn (t: Test, dataDir: string): Promise<Running> {
  const engine = await startEmbeddedMongo({ dataDir })
  const client = new MongoClient(engine.uri)
  t.teardown(async () => {
    await client.close()
    await engine.stop()
  })
  return { engine, client, db: client.db('test') }
}

/** The error with which a driver's call ends. */
export async function errorOf<E = MongoServerError> (action: Promise<unknown>): Promise<E> {
  return await action.then(() => { throw new Error('the call succeeded') }, (error: unknown) => error as E)
}
