/** Starts the engine in a thread of its own and says how to reach it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { DataFolder } from './data-folder.ts'
import type { WorkerInput, WorkerMessage } from './worker.ts'

export { DataFolderError } from './data-folder.ts'

export type EmbeddedMongoOptions = {
  /** The folder of the data; made if need be. One process a folder. */
  dataDir: string
} | {
  /** A temporary folder, no sync to disk, removed at `stop`. */
  inMemory: true
}

export type EmbeddedMongo = {
  /** For `new MongoClient(uri)`, complete. */
  readonly uri: string
  /** Answers what is running, makes it durable, closes. */
  readonly stop: () => Promise<void>
  /** Settles if the engine's thread dies by itself; no command is answered any more. */
  readonly failed: Promise<Error>
}

/** Longer paths do not fit a socket address (104 bytes with the final zero on the BSDs and macOS). */
const SOCKET_PATH_BYTES_MAX = 103

export async function startEmbeddedMongo (options: EmbeddedMongoOptions): Promise<EmbeddedMongo> {
  const temporary = 'inMemory' in options ? mkdtempSync(join(tmpdir(), 'embedded-mongo-')) : undefined
  const folder = new DataFolder(resolve(temporary ?? (options as { dataDir: string }).dataDir))
  const socket = placeSocket(folder.path)
  const release = () => {
    socket.remove()
    folder.unlock()
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true })
  }
  try {
    const engine = await startWorker({ databaseFile: folder.databaseFile, sync: temporary === undefined, socketPath: socket.path, mapBytes: undefined })
    return { ...engine, stop: once(() => engine.stop().finally(release)) }
  } catch (error) {
    release()
    throw error
  }
}

/** Run from source, the thread must first be taught TypeScript: a loader of this thread does not reach another one. */
function openThread (workerData: WorkerInput): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url), { workerData })
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'))
  const entry = JSON.stringify(new URL('./worker.ts', import.meta.url).href)
  return new Worker(`import(${loader}).then(({ register }) => { register(); return import(${entry}) })`, { eval: true, execArgv: [], workerData })
}

async function startWorker (input: WorkerInput): Promise<EmbeddedMongo> {
  const worker = openThread(input)
  let stopping = false
  const failed = new Promise<Error>(resolve => {
    worker.once('error', resolve)
    worker.once('exit', code => { if (!stopping) resolve(new Error(`the engine's thread exited with code ${code}`)) })
  })
  const port = await Promise.race([
    new Promise<number>(resolve => {
      worker.once('message', (message: WorkerMessage) => { if ('ready' in message) resolve(message.ready.port) })
    }),
    failed.then(error => { throw error })
  ])
  // The engine alone does not keep a process alive.
  worker.unref()
  return {
    uri: uriOf(input.socketPath, port),
    failed,
    stop: async () => {
      stopping = true
      worker.ref()
      const exited = new Promise(resolve => worker.once('exit', resolve))
      worker.postMessage('stop')
      await exited
    }
  }
}

function uriOf (socketPath: string | undefined, port: number): string {
  const host = socketPath === undefined ? `127.0.0.1:${port}` : encodeURIComponent(socketPath)
  return `mongodb://${host}/?directConnection=true`
}

/** Where the socket goes: into the data folder, or a short temporary one; none where there are no unix sockets. */
function placeSocket (folder: string): { path: string | undefined, remove: () => void } {
  if (process.platform === 'win32') return { path: undefined, remove: () => {} }
  const inFolder = join(folder, 'mongo.sock')
  if (Buffer.byteLength(inFolder) <= SOCKET_PATH_BYTES_MAX) {
    rmSync(inFolder, { force: true })
    return { path: inFolder, remove: () => { rmSync(inFolder, { force: true }) } }
  }
  const short = mkdtempSync(join(tmpdir(), 'em-'))
  const path = join(short, 'mongo.sock')
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return { path, remove: () => { rmSync(short, { recursive: true, force: true }) } }
  rmSync(short, { recursive: true, force: true })
  return { path: undefined, remove: () => {} }
}

function once (action: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined
  return () => (result ??= action())
}
