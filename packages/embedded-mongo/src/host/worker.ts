/**
 * The engine's thread: opens the database, listens, reports its port, handles the requests of the thread that started
 * it.
 */
import { chmodSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { Engine } from '../engine/engine.ts'
import { startExpiry } from '../server/expiry.ts'
import { Server } from '../server/server.ts'

export type WorkerInput = {
  readonly databaseFile: string
  readonly sync: boolean
  /** A unix socket, or a port of the loopback interface (0: any). */
  readonly listen: { readonly path: string } | { readonly port: number }
}

/** `stop` ends the thread; `done` gets the error of a backup, or undefined. */
export type WorkerRequest =
  | { readonly do: 'stop' }
  | { readonly do: 'backup', readonly file: string, readonly done: MessagePort }

const LOOPBACK = '127.0.0.1'

const parent = parentPort!
const { databaseFile, sync, listen } = workerData as WorkerInput

const engine = new Engine({ path: databaseFile, sync })
startExpiry(engine)
const server = new Server(engine)
await server.listen('path' in listen ? listen : { host: LOOPBACK, port: listen.port })
// A user who may write to the socket may connect.
if ('path' in listen) chmodSync(listen.path, 0o600)
engine.address = 'path' in listen ? listen.path : `${LOOPBACK}:${server.port}`
parent.postMessage(server.port)

let backups: Promise<void> = Promise.resolve()

parent.on('message', (request: WorkerRequest) => {
  if (request.do === 'stop') void stop()
  else backups = backups.then(() => backup(request.file)).then(error => { request.done.postMessage(error) })
})

async function backup (file: string): Promise<unknown> {
  try {
    await engine.store.backup(file)
  } catch (error) {
    return error
  }
}

async function stop (): Promise<void> {
  await server.close()
  await backups
  await engine.close()
  parent.close()
}
