/**
 * Floor: the wire and the driver. A server in a thread of its own, on a unix socket, that splits messages as the engine
 * does, reads only the command's name, and returns the recorded reply to it.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { MessageReader } from '../../src/wire/messages.ts'
import { type Replies, commandOf, wantsReply } from './replies.ts'

const requestIdAt = 4
const responseToAt = 8

export class EmptyReplies {
  readonly #worker: Worker

  private constructor (worker: Worker) {
    this.#worker = worker
  }

  static async start (path: string): Promise<EmptyReplies> {
    // Each thread needs its own loader of TypeScript.
    const [loader, entry] = [import.meta.resolve('tsx/esm/api'), import.meta.url].map(url => JSON.stringify(url))
    const worker = new Worker(`import(${loader}).then(({ register }) => { register(); return import(${entry}) })`, { eval: true, execArgv: [], workerData: path })
    await once(worker, 'message')
    return new EmptyReplies(worker)
  }

  async answerWith (replies: Replies): Promise<void> {
    this.#worker.postMessage(replies)
    await once(this.#worker, 'message')
  }

  async stop (): Promise<void> {
    await this.#worker.terminate()
  }
}

function serve (path: string): void {
  const replies: Replies = new Map()
  const server = createServer({ noDelay: true }, socket => {
    const reader = new MessageReader()
    socket.on('error', () => { socket.destroy() })
    socket.on('data', chunk => {
      for (const message of reader.push(chunk as Buffer)) {
        if (!wantsReply(message)) continue
        const given = replies.get(commandOf(message))
        if (given === undefined) throw new Error(`No answer was given for ${commandOf(message)}`)
        const reply = Buffer.from(given)
        message.copy(reply, responseToAt, requestIdAt, responseToAt)
        socket.write(reply)
      }
    })
  })
  parentPort!.on('message', (given: Map<string, Uint8Array>) => {
    for (const [command, reply] of given) replies.set(command, Buffer.from(reply))
    parentPort!.postMessage('taken')
  })
  server.listen(path, () => { parentPort!.postMessage('listening') })
}

if (!isMainThread) serve(workerData as string)
