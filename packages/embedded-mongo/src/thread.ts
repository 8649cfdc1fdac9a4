/** The engine's thread, seen from outside. */
import { Worker } from 'node:worker_threads'
import type { WorkerInput, WorkerMessage, WorkerRequest } from './worker.ts'

export class EngineThread {
  readonly #worker: Worker
  readonly #waiting: ((error: Error | undefined) => void)[] = []
  readonly #ready: Promise<number>
  readonly #exited: Promise<unknown>
  #stopping = false
  /** Settles if the thread dies by itself. */
  readonly failed: Promise<Error>

  constructor (input: WorkerInput) {
    this.#worker = openThread(input)
    this.#exited = new Promise(resolve => this.#worker.once('exit', resolve))
    this.failed = new Promise(resolve => {
      this.#worker.once('error', resolve)
      this.#worker.once('exit', code => { if (!this.#stopping) resolve(new Error(`the engine's thread exited with code ${code}`)) })
    })
    void this.failed.then(error => { for (const settle of this.#waiting.splice(0)) settle(error) })
    this.#ready = new Promise(resolve => {
      this.#worker.on('message', (message: WorkerMessage) => {
        if ('ready' in message) resolve(message.ready.port)
        else this.#waiting.shift()?.(message.done.error)
      })
    })
  }

  /** Resolves with the port it listens at, or 0; rejects if it cannot start. */
  async start (): Promise<number> {
    const port = await Promise.race([this.#ready, this.failed.then(error => { throw error })])
    // The engine alone does not keep a process alive.
    this.#worker.unref()
    return port
  }

  async backup (file: string): Promise<void> {
    if (this.#stopping) throw new Error('the engine has been stopped')
    const done = new Promise<Error | undefined>(resolve => this.#waiting.push(resolve))
    this.#worker.ref()
    this.#send({ do: 'backup', file })
    const error = await done
    if (this.#waiting.length === 0) this.#worker.unref()
    if (error !== undefined) throw error
  }

  async stop (): Promise<void> {
    this.#stopping = true
    this.#worker.ref()
    this.#send({ do: 'stop' })
    await this.#exited
  }

  #send (request: WorkerRequest): void {
    this.#worker.postMessage(request)
  }
}

/** Run from source, the thread must first be taught TypeScript: a loader of this thread does not reach another one. */
function openThread (workerData: WorkerInput): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url), { workerData })
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'))
  const entry = JSON.stringify(new URL('./worker.ts', import.meta.url).href)
  return new Worker(`import(${loader}).then(({ register }) => { register(); return import(${entry}) })`, { eval: true, execArgv: [], workerData })
}
