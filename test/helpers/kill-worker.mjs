// Loaded before a server (`--import`). On SIGUSR2 it kills the threads that the server started, as if they had crashed.
import { syncBuiltinESMExports } from 'node:module'
import threads from 'node:worker_threads'

if (threads.isMainThread) {
  const started = new Set()
  threads.Worker = class extends threads.Worker {
    constructor (...args) {
      super(...args)
      started.add(this)
    }
  }
  syncBuiltinESMExports()
  process.on('SIGUSR2', () => { for (const worker of started) worker.terminate() })
}
