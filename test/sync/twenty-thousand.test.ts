import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { brotliDecompressSync } from 'node:zlib'
import t from 'tap'
import { type History, addHistories, addUsers } from '../../bench/lib/database.ts'
import { type Person, people, secret } from '../../bench/lib/people.ts'
import { startApp } from '../helpers/app.ts'

const conversations = 20_000
const changed = 10

interface Listed { conversationId: string, cursor: string, lastMessage: { message: string } | null }
interface Synced { conversationId: string, cursor: string, changes: unknown[] }

/** Asks as a browser does, and counts the bytes of both bodies. */
async function ask<T> (
  url: string, { token }: Person, method: string, path: string, body?: object
): Promise<{ answer: T, bytes: number }> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const sent = request(url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'accept-encoding': 'br',
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    }
  }).end(text)
  const [response] = await once(sent, 'response') as [IncomingMessage]
  const received = Buffer.concat(await response.toArray())
  const plain = response.headers['content-encoding'] === 'br' ? brotliDecompressSync(received) : received
  return { answer: JSON.parse(plain.toString()) as T, bytes: received.length + Buffer.byteLength(text ?? '') }
}

t.test('a user with 20,000 conversations lists the newest in 50 KiB and syncs ten changes in 20 KiB', async t => {
  const { app, url } = await startApp(t, { JWT_SECRET: secret, RATE_LIMIT_SENDS: '0' })
  const [self, ...others] = people(conversations + 1) as [Person, ...Person[]]
  await addUsers(app.mongo.db!, [self, ...others])
  await addHistories(app.mongo.db!, others.map((b): History => ({ a: self, b, messages: 1 })))

  const path = '/api/conversations?limit=50'
  const device = await ask<{ conversations: Listed[], hasMore: boolean }>(url, self, 'GET', path)
  t.equal(device.answer.conversations.length, 50)
  t.equal(device.answer.hasMore, true)
  t.ok(device.answer.conversations.every(({ lastMessage }) => lastMessage !== null))
  t.ok(device.bytes <= 50 << 10, `the list of a new device has ${device.bytes} bytes`)

  const writers = others.slice(0, changed)
  for (const [index, writer] of writers.entries()) {
    await ask(url, writer, 'POST', '/api/messages', { receiverId: self.id, content: `News ${index}` })
  }
  const again = await ask<{ conversations: Listed[] }>(url, self, 'GET', path)
  const news = again.answer.conversations.slice(0, changed)
  t.strictSame(
    new Set(news.map(({ lastMessage }) => lastMessage?.message)),
    new Set(writers.map((_, index) => `News ${index}`)),
    'the most recently active conversations come first'
  )
  const cursors = Object.fromEntries(news.map(({ conversationId }) => [conversationId, null]))
  const sync = async (body: object) => {
    const { answer, bytes } = await ask<{ conversations: Synced[] }>(
      url, self, 'POST', '/api/sync', { only: true, ...body }
    )
    return { synced: answer.conversations.filter(({ conversationId }) => conversationId !== 'self'), bytes }
  }
  const first = await sync({ newest: 1, cursors })
  t.strictSame(
    new Set(first.synced.map(({ conversationId }) => conversationId)),
    new Set(Object.keys(cursors)),
    'nothing but the named conversations and self is looked at'
  )
  const held = Object.fromEntries(
    first.synced.map(({ conversationId, cursor }) => [conversationId, cursor])
  )
  for (const writer of writers) {
    await ask(url, writer, 'POST', '/api/messages', { receiverId: self.id, content: 'More' })
  }
  const next = await sync({ cursors: held })
  t.strictSame(next.synced.map(({ changes }) => changes.length), writers.map(() => 1))
  t.ok(next.bytes <= 20 << 10, `a sync of ten changes sends and receives ${next.bytes} bytes`)
})
