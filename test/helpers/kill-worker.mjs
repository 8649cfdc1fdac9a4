// Loaded before a server (`--import`): at SIGUSR2 the threads that it started are killed, as by a fault of their own.
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
