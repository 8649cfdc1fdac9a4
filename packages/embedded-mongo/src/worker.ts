/** The thread the engine runs in: opens, listens, reports its address, and does what it is told. */
import { parentPort, workerData } from 'node:worker_threads'
import { Engine } from './engine.ts'
import { Server } from './server.ts'

export type WorkerInput = {
  readonly databaseFile: string
  readonly sync: boolean
  /** A unix socket, or a port of the loopback interface (0: any). */
  readonly listen: { readonly path: string } | { readonly port: number }
}

export type WorkerRequest = { readonly do: 'stop' } | { readonly do: 'backup', readonly file: string }

/** `done` answers requests in the order they came, but for `stop`, which ends the thread. */
export type WorkerMessage = { readonly ready: { readonly port: number } } | { readonly done: { readonly error?: Error } }

const LOOPBACK = '127.0.0.1'

const parent = parentPort!
const { databaseFile, sync, listen } = workerData as WorkerInput

const engine = new Engine({ path: databaseFile, sync })
const server = new Server(engine)
await server.listen('path' in listen ? listen : { host: LOOPBACK, port: listen.port })
engine.address = 'path' in listen ? listen.path : `${LOOPBACK}:${server.port}`
parent.postMessage({ ready: { port: server.port } } satisfies WorkerMessage)

parent.on('message', (request: WorkerRequest) => {
  if (request.do === 'stop') void stop()
  else void backup(request.file)
})

let working: Promise<void> = Promise.resolve()

async function backup (file: string): Promise<void> {
  working = working.then(async () => {
    let error: Error | undefined
    try {
      await engine.store.backup(file)
    } catch (cause) {
      error = cause as Error
    }
    parent.postMessage({ done: error === undefined ? {} : { error } } satisfies WorkerMessage)
  })
  await working
}

async function stop (): Promise<void> {
  await server.close()
  await working
  await engine.close()
  parent.close()
}
