import { io, type Socket } from 'socket.io-client'
import t from 'tap'
import { type ServerProcess, startServer } from './helpers/process.ts'
import { register } from './helpers/register.ts'
import { call } from './helpers/request.ts'

/** Sends one message after the other until the connection breaks; collects what was acknowledged. */
async function sendUntilKilled (socket: Socket, receiverId: string, acknowledged: Map<string, string>, name: string): Promise<void> {
  for (let n = 0; socket.connected; n++) {
    const clientMessageId = `${name}-${n}`
    const ack = await socket.timeout(5_000).emitWithAck('sendDirectMessage', { receiverId, content: clientMessageId, clientMessageId })
      .catch(() => null) as { success: boolean, message: { _id: string } } | null
    if (ack?.success === true) acknowledged.set(clientMessageId, ack.message._id)
  }
}

async function everything (url: string, token: string, otherUserId: string): Promise<Array<{ _id: string, seq: number, rev: number, clientMessageId: string }>> {
  const all = []
  let cursor: string | undefined
  for (;;) {
    const answer = await call({ url }, 'POST', '/api/messages/sync-conversation', {
      token, body: { otherUserId, limit: 500, ...(cursor === undefined ? {} : { cursor }) }
    })
    const page = answer.body as { messages: Array<{ _id: string, seq: number, rev: number, clientMessageId: string }>, cursor: string, hasMore: boolean }
    all.push(...page.messages)
    cursor = page.cursor
    if (!page.hasMore) return all
  }
}

t.test('I1: messages acknowledged under load survive kill -9 once, and retries of the others are one message each', async t => {
  const dataDir = t.testdir()
  const environment = { DATA_DIR: dataDir, JWT_SECRET: 'a secret for the crash test', LOG_LEVEL: 'info' }
  const acknowledged = new Map<string, string>()
  let server: ServerProcess = await startServer(environment)
  const ada = await register(server.url, 'ada')
  const bob = await register(server.url, 'bob')
  for (let round = 0; round < 3; round++) {
    if (round > 0) server = await startServer(environment)
    const sockets = Array.from({ length: 8 }, () => io(server.url, { auth: { token: ada.token }, transports: ['websocket'], forceNew: true, reconnection: false }))
    await Promise.all(sockets.map(socket => new Promise(resolve => socket.once('connect', () => resolve(undefined)))))
    const before = acknowledged.size
    const sending = sockets.map((socket, index) => sendUntilKilled(socket, bob.id, acknowledged, `${round}-${index}`))
    // The kill comes in the middle of the work, after a number of acknowledgements that differs each round.
    await new Promise<void>(resolve => {
      let echoes = 0
      sockets[0]!.on('directMessage', () => { if (++echoes === 100 + round * 50) resolve() })
    })
    await server.end('SIGKILL')
    for (const socket of sockets) socket.disconnect()
    await Promise.all(sending)
    t.ok(acknowledged.size > before, `round ${round}: messages were acknowledged before the kill`)
  }

  server = await startServer(environment)
  const stored = await everything(server.url, bob.token, ada.id)
  const byClientId = new Map(stored.map(message => [message.clientMessageId, message._id]))
  t.equal(byClientId.size, stored.length, 'no message is stored twice')
  t.strictSame([...acknowledged].filter(([clientId, id]) => byClientId.get(clientId) !== id), [], 'every acknowledged message is there under its id')
  t.strictSame(stored.map(message => message.seq).sort((a, b) => a - b), stored.map((_, index) => index + 1), 'seq has no gaps')

  const socket = io(server.url, { auth: { token: ada.token }, transports: ['websocket'], forceNew: true })
  const sample = stored.slice(-20)
  for (const { clientMessageId, _id } of sample) {
    const ack = await socket.emitWithAck('sendDirectMessage', { receiverId: bob.id, content: clientMessageId, clientMessageId }) as { duplicate?: boolean, message: { _id: string } }
    t.match(ack, { success: true, duplicate: true, message: { _id } })
  }
  socket.disconnect()
  t.equal(await server.end('SIGTERM'), 0, 'SIGTERM ends it cleanly')
})
