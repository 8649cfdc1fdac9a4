/** Starts, stops and watches the engine's thread from the caller's thread. */
import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import type { WorkerInput, WorkerRequest } from './worker.ts'

export class EngineThread {
  readonly #worker: Worker
  readonly #exited: Promise<unknown>
  #stopping = false
  #fail: (error: Error) => void = () => {}
  /** Resolves if the thread dies by itself or is aborted. */
  readonly failed: Promise<Error>

  constructor (input: WorkerInput) {
    this.#worker = openThread(input)
    this.#exited = new Promise(resolve => this.#worker.once('exit', resolve))
    this.failed = new Promise(resolve => { this.#fail = resolve })
    this.#worker.once('error', error => { this.#fail(error as Error) })
    this.#worker.once('exit', code => {
      if (!this.#stopping) this.#fail(new Error(`the engine's thread exited with code ${code}`))
    })
  }

  /** Resolves with the port, or 0 if it listens on a socket; rejects if the engine cannot start. */
  async start (): Promise<number> {
    const port = await this.#orFailed(new Promise<number>(resolve => this.#worker.once('message', resolve)))
    // The engine alone does not keep a process alive.
    this.#worker.unref()
    return port
  }

  async backup (file: string): Promise<void> {
    if (this.#stopping) throw new Error('the engine has been stopped')
    const { port1: answer, port2: done } = new MessageChannel()
    try {
      this.#worker.postMessage({ do: 'backup', file, done } satisfies WorkerRequest, [done])
      const [error] = await this.#orFailed(once(answer, 'message')) as [Error | undefined]
      if (error !== undefined) throw error
    } finally {
      answer.close()
    }
  }

  /** Ends the thread at once: commands without an answer get none. */
  async abort (error: Error): Promise<void> {
    if (this.#stopping) return
    this.#fail(error)
    await this.#worker.terminate()
  }

  async stop (): Promise<void> {
    this.#stopping = true
    this.#worker.ref()
    this.#worker.postMessage({ do: 'stop' } satisfies WorkerRequest)
    await this.#exited
  }

  async #orFailed<T> (answer: Promise<T>): Promise<T> {
    return await Promise.race([answer, this.failed.then(error => { throw error })])
  }
}

/** If run from source, the new thread registers its own TypeScript loader: this thread's does not apply to it. */
function openThread (workerData: WorkerInput): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url), { workerData })
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'))
  const entry = JSON.stringify(new URL('./worker.ts', import.meta.url).href)
  const source = `import(${loader}).then(({ register }) => { register(); return import(${entry}) })`
  return new Worker(source, { eval: true, execArgv: [], workerData })
}
