import { cp, mkdir } from 'node:fs/promises'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { type Collection, type Db, MongoClient, ObjectId } from 'mongodb'
import { ensureLogIndexes, logCollections } from '../../src/log/model/collections.ts'
import {
  type Head,
  type LogRow,
  type Member,
  memberKey,
  revOf,
  stateRowId,
  selfLogId,
  seqOf
} from '../../src/log/model/types.ts'
import { type Person, directId, userRow } from './people.ts'

/** A direct conversation to create before the run. Its two users send in turn. */
export interface History {
  a: Person
  b: Person
  messages: number
  /** The text of the message with this number; default: one of a usual length. */
  textOf?: (number: number) => string
}

const rowsAtOnce = 5_000
const epochMs = Date.UTC(2026, 0, 1)

/** Starts the engine on `dataDir` in this process, for as long as `work` takes. */
export async function withDatabase<T> (dataDir: string, work: (db: Db) => Promise<T>): Promise<T> {
  await mkdir(dataDir, { recursive: true })
  const engine = await startEmbeddedMongo({ dataDir })
  const client = await MongoClient.connect(
    engine.uri, { writeConcern: { w: 'majority', journal: true }, ignoreUndefined: true }
  )
  try {
    return await work(client.db('tidelog'))
  } finally {
    await client.close()
    await engine.stop()
  }
}

export async function addUsers (db: Db, persons: readonly Person[]): Promise<void> {
  await db.collection('users').insertMany(persons.map(userRow))
}

/**
 * Writes conversations as the log's commits would have left them: rows with rev = seq = 1, 2, 3 … one second apart, the
 * head at the last row, both memberships, and all self logs, which must not exist before. It inserts large batches
 * through the driver, because a million rows through sockets would take minutes.
 */
export async function addHistories (db: Db, histories: readonly History[]): Promise<void> {
  const collections = logCollections(db)
  await ensureLogIndexes(collections)
  const rows = new Batch<LogRow>(collections.rows)
  const heads = new Batch<Head>(collections.heads)
  const members = new Batch<Member>(collections.members)
  const conversationsOf = new Map<string, string[]>()
  for (const { a, b, messages, textOf = usualText } of histories) {
    const conversationId = directId(a, b)
    const ids = [new ObjectId(a.id), new ObjectId(b.id)] as const
    for (let number = 1; number <= messages; number++) {
      await rows.add(messageRow(
        conversationId, ids, number, textOf(number)
      ))
    }
    await heads.add({
      _id: conversationId,
      kind: 'direct',
      headRev: revOf(messages),
      headSeq: seqOf(messages),
      clock: timeOf(messages),
      memberCount: 2,
      createdAt: timeOf(0)
    })
    for (const { id } of [a, b]) conversationsOf.set(id, [...conversationsOf.get(id) ?? [], conversationId])
    for (const userId of ids) {
      await members.add({
        _id: memberKey(conversationId, userId),
        conversationId,
        userId,
        role: 'member',
        joinedSeq: seqOf(0),
        joinedRev: revOf(0),
        joinedAt: timeOf(0),
        readSeq: seqOf(messages),
        readAt: timeOf(0) // So that no page by time repeats read messages.
      })
    }
  }
  for (const [userId, conversationIds] of conversationsOf) {
    const revs = revOf(conversationIds.length)
    await heads.add({
      _id: selfLogId(userId), kind: 'self', headRev: revs, headSeq: seqOf(0), clock: timeOf(revs), memberCount: 0, memberRev: revs, createdAt: timeOf(0)
    })
    for (const [index, conversationId] of conversationIds.entries()) {
      await rows.add(membershipRow(
        userId, conversationId, index + 1
      ))
    }
  }
  for (const batch of [rows, heads, members]) await batch.end()
}

/** The time at which message `number` of a history was sent: a legacy client's position. */
export function timeOf (number: number): Date {
  return new Date(epochMs + number * 1_000)
}

/** A copy of the database, for a floor that works on the same rows as the product. */
export async function copyDatabase (from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, filter: file => !/\.sock$|lock$/.test(file) })
}

const usualText = (number: number) => `Message ${number}: ${'the tide comes in and the tide goes out '.repeat(2)}`

function messageRow (
  conversationId: string, [a, b]: readonly [ObjectId, ObjectId], number: number, message: string
): LogRow {
  const at = timeOf(number)
  return {
    _id: new ObjectId(),
    conversationId,
    rev: revOf(number),
    seq: seqOf(number),
    kind: 'message',
    senderId: number % 2 === 0 ? a : b,
    receiverId: number % 2 === 0 ? b : a,
    clientMessageId: `history-${number}`,
    bodyHash: 'AAAAAAAAAAAAAAAAAAAAAA',
    message,
    messageType: 'text',
    createdAt: at,
    updatedAt: at
  }
}

function membershipRow (userId: string, about: string, number: number): LogRow {
  const conversationId = selfLogId(userId)
  const at = timeOf(number)
  return {
    _id: stateRowId(conversationId, 'membership', about), conversationId, rev: revOf(number), kind: 'membership', about, userId: new ObjectId(userId), role: 'member', createdAt: at, updatedAt: at
  }
}

/** Inserts in large batches, two at a time. */
class Batch<T extends { _id: unknown }> {
  private readonly collection: Collection<T>
  private waiting: T[] = []
  private last: Promise<unknown> = Promise.resolve()

  constructor (collection: Collection<T>) {
    this.collection = collection
  }

  async add (row: T): Promise<void> {
    this.waiting.push(row)
    if (this.waiting.length >= rowsAtOnce) await this.flush()
  }

  async end (): Promise<void> {
    await this.flush()
    await this.last
  }

  private async flush (): Promise<void> {
    const rows = this.waiting
    if (rows.length === 0) return
    this.waiting = []
    await this.last
    this.last = this.collection.insertMany(
      rows as unknown as Parameters<Collection<T>['insertMany']>[0], { ordered: false }
    )
  }
}
