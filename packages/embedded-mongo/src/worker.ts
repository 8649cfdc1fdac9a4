/** The thread the engine runs in: opens, listens, reports its address, and stops when it is told to. */
import { parentPort, workerData } from 'node:worker_threads'
import { Engine } from './engine.ts'
import { Server } from './server.ts'

export type WorkerInput = {
  readonly databaseFile: string
  readonly sync: boolean
  /** A unix socket's path, or undefined for loopback TCP. */
  readonly socketPath: string | undefined
  readonly mapBytes: number | undefined
}

export type WorkerMessage = { readonly ready: { readonly port: number } } | { readonly stopped: true }

const port = parentPort!
const { databaseFile, sync, socketPath, mapBytes } = workerData as WorkerInput

const engine = new Engine({ path: databaseFile, sync, address: socketPath ?? '127.0.0.1', ...(mapBytes === undefined ? {} : { mapBytes }) })
const server = new Server(engine)
await server.listen(socketPath === undefined ? { host: '127.0.0.1', port: 0 } : { path: socketPath })
port.postMessage({ ready: { port: server.port } } satisfies WorkerMessage)

port.once('message', () => {
  void stop()
})

async function stop (): Promise<void> {
  await server.close()
  await engine.close()
  port.postMessage({ stopped: true } satisfies WorkerMessage)
  port.close()
}
