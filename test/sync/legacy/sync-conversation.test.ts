import assert from 'node:assert/strict'
import { Value } from '@sinclair/typebox/value'
import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { directId } from '../../../src/chat/rules/conversation-id.ts'
import { deleteMessage } from '../../../src/chat/messages/delete-message.ts'
import { editMessage } from '../../../src/chat/messages/edit-message.ts'
import { markRead } from '../../../src/chat/conversations/mark-read.ts'
import { sendTo } from '../../../src/chat/messages/send-to.ts'
import { type LogRow, revOf } from '../../../src/log/model/types.ts'
import type { DirectMessage } from '../../../src/schemas/message.ts'
import { SyncConversationBody, SyncStatusBody } from '../../../src/schemas/sync.ts'
import { startApp } from '../../helpers/app.ts'
import { watchReads } from '../../helpers/reads.ts'
import type { Identity } from '../../../src/users/identity.ts'

const { app, register, call } = await startApp(t, { SEARCH: 'off', RATE_LIMIT_SENDS: '0', RATE_LIMIT_REQUESTS: '0', RATE_LIMIT_REGISTER: '0' })

interface User { token: string, id: string, identity: Identity }

let users = 0
async function newUser (): Promise<User> {
  const { token, id } = await register(`user${++users}`)
  return { token, id, identity: (await app.verifyToken(token)).identity }
}

/** What a client keeps between calls, and what it holds. */
class Client {
  readonly held = new Map<string, { message: string, isRead: boolean, isDeleted: boolean, rev: number, seq: number }>()
  readonly reads = new Map<string, number>()
  feed: Record<string, unknown> = {}
  calls = 0
  private readonly me: User
  private readonly other: User
  private readonly knows: 'time' | 'tombstones' | 'cursor'

  constructor (me: User, other: User, knows: 'time' | 'tombstones' | 'cursor') {
    this.me = me
    this.other = other
    this.knows = knows
  }

  /** One call; says whether to ask again at once. */
  async sync (limit: number): Promise<boolean> {
    const body = { otherUserId: this.other.id, limit, ...this.feed, ...(this.knows === 'tombstones' ? { includeDeleted: true } : {}) }
    const answer = await call('POST', '/api/messages/sync-conversation', { token: this.me.token, body })
    if (answer.status !== 200) throw new Error(answer.text)
    this.calls++
    this.feed = this.knows === 'cursor' ? { cursor: answer.body.cursor } : { lastSyncTimestamp: answer.body.syncTimestamp }
    if (!Value.Check(SyncConversationBody, answer.body)) throw new Error(`not of the schema: ${answer.text.slice(0, 500)}`)
    const times = answer.body.messages.map(({ createdAt }) => createdAt)
    if (times.some((time, index) => index > 0 && time < times[index - 1]!)) throw new Error('not in createdAt order')
    if (new Set(answer.body.messages.map(({ _id }) => _id)).size !== answer.body.count) throw new Error('a message came twice')
    for (const { _id, message, isRead, isDeleted, rev, seq } of answer.body.messages) {
      if (isDeleted && this.knows === 'time') throw new Error('an unasked tombstone')
      if ((this.held.get(_id)?.rev ?? 0) <= rev) this.held.set(_id, { message, isRead, isDeleted, rev, seq })
    }
    for (const { userId, seq } of answer.body.reads) this.reads.set(userId, seq)
    return answer.body.hasMore
  }

  async catchUp (limit: number): Promise<void> {
    while (await this.sync(limit)) if (this.calls > 5_000) throw new Error('never done')
  }
}

const stored = async (a: User, b: User): Promise<LogRow[]> =>
  await app.chat.log.collections.rows.find({ conversationId: directId(a.id, b.id), kind: 'message' }).sort({ seq: 1 }).toArray()

/** The differences between what a client holds and what is stored. Whoever never held a message needs no tombstone of it. */
function differences (client: Client, rows: LogRow[], deletedToo: boolean): string[] {
  return rows.filter(row => deletedToo || row.isDeleted !== true).flatMap(row => {
    const held = client.held.get(row._id.toHexString())
    if (held === undefined && row.isDeleted === true) return []
    const wanted = { message: row.message ?? '', isDeleted: row.isDeleted === true, rev: row.rev }
    return held?.message === wanted.message && held.isDeleted === wanted.isDeleted && held.rev === wanted.rev ? [] : [`seq ${row.seq}: ${JSON.stringify(held)} is not ${JSON.stringify(wanted)}`]
  })
}

async function write (random: () => number, a: User, b: User, ids: string[], content: string): Promise<void> {
  const [from, to] = random() < 0.5 ? [a, b] : [b, a]
  const dice = random()
  const chosen = ids[Math.floor(random() * ids.length)]
  if (dice < 0.7 || chosen === undefined) {
    ids.push((await sendTo(app.chat, from.identity, { receiverId: to.id, content })).message._id)
    return
  }
  const row = await app.chat.log.collections.rows.findOne({ _id: new ObjectId(chosen) })
  const owner = row!.senderId!.toHexString() === a.id ? a : b
  if (dice < 0.85) await editMessage(app.chat, owner.identity, { messageId: chosen, content: `${content} edited` }).catch(() => {})
  else if (dice < 0.93) await deleteMessage(app.chat, owner.identity, { messageId: chosen })
  else await markRead(app.chat, from.identity, { conversationId: row!.conversationId, seq: Math.ceil(random() * ids.length) })
}

t.test('a client that only returns syncTimestamp misses none of 1,000 messages that change while it syncs', async t => {
  const [a, b] = [await newUser(), await newUser()]
  const clients = [new Client(a, b, 'time'), new Client(b, a, 'tombstones'), new Client(a, b, 'cursor')]
  const ids: string[] = []
  const state = { writing: true }
  const writer = (async () => {
    while (ids.length < 1_000) await Promise.all(Array.from({ length: 24 }, (_, index) => write(Math.random, a, b, ids, `text ${ids.length} ${index}`)))
    state.writing = false
  })()
  await Promise.all([writer, ...clients.map(async (client, index) => {
    for (let round = 0; state.writing; round++) await client.sync(1 + (round * 7 + index) % 13)
  })])
  const rows = await stored(a, b)
  t.ok(rows.length >= 1_000)
  for (const [index, client] of clients.entries()) {
    await client.catchUp(5)
    t.same(differences(client, rows, index > 0), [])
    const calls = client.calls
    t.equal(await client.sync(100), false)
    t.equal(client.calls, calls + 1)
  }
  const positions = new Map((await app.chat.log.collections.members.find({ conversationId: directId(a.id, b.id) }).toArray()).map(({ userId, readSeq }) => [userId.toHexString(), readSeq as number]))
  for (const client of clients) t.same([...client.reads].sort(), [...positions].filter(([, seq]) => seq > 0).sort())
})

t.test('in any order of writing, reading and syncing, and with any limits, nothing is missed', async t => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.oneof(
      { weight: 3, arbitrary: fc.record({ act: fc.constant('write' as const), seed: fc.integer({ min: 1, max: 2 ** 31 - 2 }), count: fc.integer({ min: 1, max: 4 }) }) },
      { weight: 2, arbitrary: fc.record({ act: fc.constant('sync' as const), limit: fc.integer({ min: 1, max: 4 }), client: fc.nat(3) }) }
    ), { minLength: 1, maxLength: 40 }),
    async steps => {
      const [a, b] = [await newUser(), await newUser()]
      const clients = [new Client(a, b, 'time'), new Client(b, a, 'time'), new Client(a, b, 'tombstones'), new Client(b, a, 'cursor')]
      const ids: string[] = []
      for (const step of steps) {
        if (step.act === 'sync') await clients[step.client]!.sync(step.limit)
        else {
          const random = lehmer(step.seed)
          await Promise.all(Array.from({ length: step.count }, (_, index) => write(random, a, b, ids, `${ids.length} ${index}`)))
        }
      }
      const rows = await stored(a, b)
      const members = await app.chat.log.collections.members.find({ conversationId: directId(a.id, b.id) }).toArray()
      for (const [index, client] of clients.entries()) {
        await client.catchUp(2)
        assert.deepEqual(differences(client, rows, index > 1), [])
        if (index > 2) continue
        const [me, other] = index === 1 ? [b, a] : [a, b]
        const through = members.find(({ userId }) => userId.toHexString() === other.id)?.readSeq ?? 0
        const mine = rows.filter(row => row.senderId!.toHexString() === me.id && row.isDeleted !== true)
        assert.deepEqual(mine.filter(row => client.held.get(row._id.toHexString())?.isRead !== (row.seq! <= through)).map(row => row.seq), [], 'own messages are read as far as the other has read')
      }
    }
  ), { numRuns: 25 })
  t.pass('25 random histories')
})

/** A small generator of numbers in [0, 1) that a seed determines. */
function lehmer (seed: number): () => number {
  let state = seed
  return () => {
    state = state * 48_271 % 2_147_483_647
    return state / 2_147_483_647
  }
}

t.test('your own messages come once more when they are read, at most the newest 100', async t => {
  const [a, b] = [await newUser(), await newUser()]
  const conversationId = directId(a.id, b.id)
  for (let i = 0; i < 250; i += 50) await Promise.all(Array.from({ length: 50 }, () => sendTo(app.chat, a.identity, { receiverId: b.id, content: 'x' })))
  const sync = async (lastSyncTimestamp?: string) => (await call('POST', '/api/messages/sync-conversation', { token: a.token, body: { otherUserId: b.id, limit: 500, lastSyncTimestamp } })).body
  const first = await sync()
  t.equal(first.count, 250)
  await markRead(app.chat, b.identity, { conversationId, seq: 30 })
  const second = await sync(first.syncTimestamp)
  t.same(second.messages.map(({ seq }: { seq: number }) => seq), Array.from({ length: 30 }, (_, index) => index + 1))
  t.ok(second.messages.every(({ isRead }: { isRead: boolean }) => isRead))
  t.match(second.reads, [{ userId: b.id, seq: 30 }])
  await markRead(app.chat, b.identity, { conversationId, seq: 32 })
  const third = await sync(second.syncTimestamp)
  t.same(third.messages.map(({ seq }: { seq: number }) => seq), [31, 32])
  await markRead(app.chat, b.identity, { conversationId, seq: 250 })
  const fourth = await sync(third.syncTimestamp)
  t.same(fourth.messages.map(({ seq }: { seq: number }) => seq), Array.from({ length: 100 }, (_, index) => index + 151))
  t.match(await sync(fourth.syncTimestamp), { messages: [], count: 0, reads: [], hasMore: false, syncTimestamp: fourth.syncTimestamp })
  const after = await sync(new Date(Date.now() + 30_000).toISOString())
  t.equal(after.syncTimestamp, fourth.syncTimestamp, 'a client whose clock is a little ahead is put right')
  t.match(await sync(new Date(Date.now() + 3_600_000).toISOString()), { success: false, code: 'VALIDATION', message: /^lastSyncTimestamp is in the future/ })
})

t.test('without a conversation the answer is empty and its time is the beginning', async t => {
  const [a, b] = [await newUser(), await newUser()]
  for (const otherUserId of [b.id, a.id, 'f'.repeat(24)]) {
    const { status, body } = await call('POST', '/api/messages/sync-conversation', { token: a.token, body: { otherUserId, lastSyncTimestamp: new Date().toISOString() } })
    t.equal(status, 200)
    t.match(body, { success: true, messages: [], syncTimestamp: '1970-01-01T00:00:00.000Z', count: 0, hasMore: false, reads: [] })
  }
})

t.test('without changes a sync reads no database if the heads are cached', async t => {
  const [a, b] = [await newUser(), await newUser()]
  await sendTo(app.chat, a.identity, { receiverId: b.id, content: 'x' })
  const sync = async (body: object) => (await call('POST', '/api/messages/sync-conversation', { token: a.token, body: { otherUserId: b.id, ...body } })).body
  const { syncTimestamp, cursor } = await sync({})
  const used = watchReads(t, app.chat.log.collections)
  t.equal((await sync({ lastSyncTimestamp: syncTimestamp })).count, 0)
  t.equal((await sync({ lastSyncTimestamp: syncTimestamp, cursor })).count, 0)
  t.same(used, [])
})

t.test('the answer to an invalid request says what is wrong', async t => {
  const [a, b] = [await newUser(), await newUser()]
  const sync = async (body?: unknown) => await call('POST', '/api/messages/sync-conversation', { token: a.token, body })
  for (const body of [undefined, {}, { lastSyncTimestamp: 'x' }, { otherUserId: null }]) {
    const answer = await sync(body)
    t.equal(answer.status, 400)
    t.match(answer.body, { success: false, message: 'otherUserId is required', code: 'VALIDATION' })
  }
  for (const lastSyncTimestamp of ['yesterday', 'garbage-1', '2026-13-45T00:00:00Z', true, {}, '1']) {
    const answer = await sync({ otherUserId: b.id, lastSyncTimestamp })
    t.equal(answer.status, 400)
    t.match(answer.body, { code: 'VALIDATION', message: /lastSyncTimestamp/ })
  }
  for (const lastSyncTimestamp of ['2026-01-01', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00.123456+02:00', '2026-01-01T00:00:00', 0, Date.now(), String(Date.now()), null]) {
    t.equal((await sync({ otherUserId: b.id, lastSyncTimestamp })).status, 200, String(lastSyncTimestamp))
  }
  for (const more of [{ limit: 0 }, { limit: 501 }, { limit: '5' }, { otherUserId: { $ne: null } }, { otherUserId: 'x' }]) t.equal((await sync({ otherUserId: b.id, ...more })).status, 400)
  for (const cursor of ['x', '', 'A'.repeat(27)]) t.match((await sync({ otherUserId: b.id, cursor })).body, { code: 'BAD_CURSOR' })
  const foreign = (await call('POST', '/api/messages/sync-conversation', { token: b.token, body: { otherUserId: a.id } })).body.cursor
  t.match((await sync({ otherUserId: b.id, cursor: foreign })).body, { code: 'BAD_CURSOR' })
  t.equal((await call('POST', '/api/messages/sync-conversation', { body: {} })).status, 401)
})

t.test('a cursor that cannot be resumed begins again and says so', async t => {
  const [a, b] = [await newUser(), await newUser()]
  const { message } = await sendTo(app.chat, a.identity, { receiverId: b.id, content: 'x' })
  const ahead = app.chat.log.cursors.encode(a.id, message.conversationId, { rev: revOf(7), clock: 0, generation: 0 })
  const { body } = await call('POST', '/api/messages/sync-conversation', { token: a.token, body: { otherUserId: b.id, cursor: ahead } })
  t.match(body, { reset: true, count: 1, messages: [{ _id: message._id }] })
})

t.test('sync-status gives the last activity and the unread count', async t => {
  const [a, b, c] = [await newUser(), await newUser(), await newUser()]
  const status = async (user: User, lastChecked?: string) => (await call('GET', `/api/messages/sync-status${lastChecked === undefined ? '' : `?lastChecked=${encodeURIComponent(lastChecked)}`}`, { token: user.token })).body
  const nothing = await status(b)
  t.ok(Value.Check(SyncStatusBody, nothing))
  t.match(nothing, { success: true, lastActivity: null, userId: b.id, hasChanges: false, unreadCount: 0 })
  for (const from of [a, a, c]) await sendTo(app.chat, from.identity, { receiverId: b.id, content: 'x' })
  const { message } = await sendTo(app.chat, b.identity, { receiverId: a.id, content: 'mine' })
  const some = await status(b)
  t.match(some, { lastActivity: (message as DirectMessage).updatedAt, hasChanges: true, unreadCount: 3 })
  t.match(await status(b, some.lastActivity), { hasChanges: false })
  t.match(await status(b, nothing.serverTime), { hasChanges: true })
  await markRead(app.chat, b.identity, { conversationId: directId(a.id, b.id), seq: 1 })
  t.match(await status(b, some.lastActivity), { unreadCount: 2, hasChanges: true })
})
