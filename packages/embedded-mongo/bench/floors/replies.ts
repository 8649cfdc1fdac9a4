/** Records the engine's replies as bytes, for a server that does nothing but return them. */
import { once } from 'node:events'
import { createServer, connect } from 'node:net'
import { MessageReader } from '../../src/wire/messages.ts'

/** The last reply to each command. */
export type Replies = Map<string, Buffer>

const opcodeAt = 12
const flagsAt = 16
const opQuery = 2004
const moreToCome = 2

/** The command of a message: its opcode and the first key of its body. */
export function commandOf (message: Buffer): string {
  const opcode = message.readInt32LE(opcodeAt)
  // OP_QUERY: flags, namespace, skip, limit, document. OP_MSG: flags, section kind, document. A document begins with
  // its length, the first type and the first key.
  const document = opcode === opQuery ? message.indexOf(0, 20) + 9 : 21
  return `${opcode} ${message.latin1Slice(document + 5, message.indexOf(0, document + 5))}`
}

/** A driver that disconnects says so without waiting for a reply. */
export function wantsReply (message: Buffer): boolean {
  return message.readInt32LE(opcodeAt) === opQuery || (message.readUInt32LE(flagsAt) & moreToCome) === 0
}

/**
 * Does `work` through a relay at `path`, which records the replies of the engine at `enginePath`. The driver must wait for
 * each reply before it sends the next message.
 */
export async function recordReplies (enginePath: string, path: string, work: (uri: string) => Promise<unknown>): Promise<Replies> {
  const replies: Replies = new Map()
  const relay = createServer(client => {
    const engine = connect(enginePath)
    const questions = new MessageReader()
    const answers = new MessageReader()
    let asked = ''
    client.on('data', chunk => {
      for (const message of questions.push(chunk as Buffer)) asked = commandOf(message)
      engine.write(chunk)
    })
    engine.on('data', chunk => {
      for (const message of answers.push(chunk as Buffer)) replies.set(asked, Buffer.from(message))
      client.write(chunk)
    })
    for (const [end, other] of [[client, engine], [engine, client]] as const) {
      end.on('error', () => {})
      end.on('close', () => { other.destroy() })
    }
  })
  relay.listen(path)
  await once(relay, 'listening')
  try {
    await work(uriOf(path))
  } finally {
    relay.close()
  }
  return replies
}

export function uriOf (path: string): string {
  return `mongodb://${encodeURIComponent(path)}/?directConnection=true`
}

/** The path of the socket in an engine's URI. */
export function pathOf (uri: string): string {
  return decodeURIComponent(/^mongodb:\/\/([^/]+)\//.exec(uri)![1]!)
}
