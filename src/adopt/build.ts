import { type MongoClient, type ObjectId } from 'mongodb'
import { parseConversationId, objectId } from '../chat/rules/conversation-id.ts'
import { Draft, type PlanInput } from '../log/commit/draft.ts'
import { putSelf } from '../log/commit/state-row.ts'
import { commitPlan } from '../log/commit/transaction.ts'
import type { LogCollections } from '../log/model/collections.ts'
import {
  type Head, type LogRow, type Rev, type Seq, memberKey, revOf, selfLogId, seqOf, stateRowId
} from '../log/model/types.ts'
import { type Arranged, type MessageOrder, type Placed, arrange } from './arrange.ts'
import type { AdoptCollections, StagedMessage } from './collections.ts'
import type { Report } from './report.ts'

/** Conversations whose heads become visible in one transaction. */
const conversationsAtOnce = 200
/** Conversations that are read at the same time. */
const readsAtOnce = 16
const rowsAtOnce = 1_000
/** A longer conversation is not held in memory as a whole, only what decides its order. */
const heldMax = 500
const triesMax = 5

export interface BuildOptions {
  client: MongoClient
  log: LogCollections
  adoption: AdoptCollections
  report: Report
  onProgress: () => void
}

interface Built {
  _id: string
  /** Undefined: it has no messages any more. */
  arranged: Arranged | undefined
}

/**
 * Writes all marked conversations into the log. The rows of a conversation come first, and nobody sees them without a
 * head; then its head, its members and their self logs in one transaction. A run that is cut short leaves rows without
 * a head, which the next one deletes and writes again.
 */
export async function buildConversations (options: BuildOptions): Promise<void> {
  const { adoption: { conversations } } = options
  for (let after = ''; ;) {
    const dirty = await conversations.find({ isDirty: true, _id: { $gt: after } }).sort({ isDirty: 1, _id: 1 })
      .limit(conversationsAtOnce).toArray()
    if (dirty.length === 0) return
    after = dirty.at(-1)!._id
    const ids = await clear(options, dirty)
    const built: Built[] = []
    const writer = new RowWriter(options.log)
    for (let start = 0; start < ids.length; start += readsAtOnce) {
      const some = ids.slice(start, start + readsAtOnce)
      const write = async (_id: string) => ({ _id, arranged: await writeRows(options, writer, _id) })
      built.push(...await Promise.all(some.map(write)))
      await writer.flushFull()
      options.onProgress()
    }
    await writer.flush()
    await show(options, built)
    options.onProgress()
  }
}

/** Hides the conversations and deletes their rows. @returns those that may be written */
async function clear (
  { client, log: { heads, rows, members }, adoption: { conversations }, report }: BuildOptions,
  dirty: ReadonlyArray<{ _id: string, isBuilding?: boolean, headRev?: Rev }>
): Promise<string[]> {
  const ids = dirty.map(({ _id }) => _id)
  const stored = new Map((await heads.find({ _id: { $in: ids } }).toArray()).map(head => [head._id, head]))
  const owned = dirty.filter(({ _id, headRev }) => {
    const head = stored.get(_id)
    if (head === undefined || head.headRev === headRev) return true
    report.add('IN_USE', _id)
    return false
  }).map(({ _id }) => _id)
  const shown = owned.filter(_id => stored.has(_id))
  const session = client.startSession()
  try {
    await session.withTransaction(async () => {
      await conversations.updateMany({ _id: { $in: owned } }, { $set: { isBuilding: true } }, { session })
      for (const _id of shown) {
        const { deletedCount } = await heads.deleteOne({ _id, headRev: stored.get(_id)!.headRev }, { session })
        if (deletedCount === 0) throw new Error(`a server has written to ${_id} meanwhile: stop it, and run this again`)
      }
      await members.deleteMany({ conversationId: { $in: shown } }, { session })
    })
  } finally {
    await session.endSession()
  }
  const redone = dirty.filter(({ _id, isBuilding }) => isBuilding === true || stored.has(_id)).map(({ _id }) => _id)
  if (redone.length > 0) await rows.deleteMany({ conversationId: { $in: redone.filter(id => owned.includes(id)) } })
  return owned
}

/** Collects rows, so that short conversations share a command. */
class RowWriter {
  private readonly log: LogCollections
  private waiting: LogRow[] = []

  constructor (log: LogCollections) {
    this.log = log
  }

  add (row: LogRow): void {
    this.waiting.push(row)
  }

  async flushFull (): Promise<void> {
    if (this.waiting.length >= rowsAtOnce) await this.flush()
  }

  async flush (): Promise<void> {
    const rows = this.waiting
    this.waiting = []
    for (let start = 0; start < rows.length; start += rowsAtOnce) {
      await this.log.rows.insertMany(rows.slice(start, start + rowsAtOnce), { ordered: false })
    }
  }
}

async function writeRows (
  { log, adoption: { staged }, report }: BuildOptions, writer: RowWriter, conversationId: string
): Promise<Arranged | undefined> {
  const order: MessageOrder[] = []
  const held: StagedMessage[] = []
  for await (const message of staged.find({ conversationId }).batchSize(rowsAtOnce)) {
    const { _id, senderId, createdAt, changedAt, isRead } = message
    order.push({ _id, senderId, createdAt, changedAt, isRead })
    if (held.length <= heldMax) held.push(message)
  }
  if (order.length === 0) return undefined
  const arranged = arrange(order)
  for (const id of arranged.readEarlier) report.add('READ_EARLIER', id.toHexString())
  if (order.length <= heldMax) addRows(writer, held, arranged.placed)
  else {
    for (let start = 0; start < order.length; start += rowsAtOnce) {
      const placed = arranged.placed.slice(start, start + rowsAtOnce)
      const own = new RowWriter(log)
      addRows(own, await staged.find({ _id: { $in: placed.map(({ _id }) => _id) } }).toArray(), placed)
      await own.flush()
    }
  }
  report.rows += order.length
  return arranged
}

function addRows (writer: RowWriter, messages: readonly StagedMessage[], placed: readonly Placed[]): void {
  const byId = new Map(messages.map(message => [message._id.toHexString(), message]))
  for (const { _id, seq, rev, updatedAt } of placed) {
    const { oldId, changedAt, isRead, hash, ...message } = byId.get(_id.toHexString())!
    writer.add({ ...message, kind: 'message', seq, rev, updatedAt })
  }
}

/** Writes heads, members and self logs, which makes the conversations visible. */
async function show (
  { client, log, adoption: { conversations }, report }: BuildOptions, built: readonly Built[]
): Promise<void> {
  const full = built.flatMap(({ _id, arranged }) => arranged === undefined ? [] : [{ _id, arranged }])
  if (full.length > 0) {
    // Before the heads: if the run is cut short after them, the next one must know them as its own.
    await conversations.bulkWrite(full.map(({ _id, arranged: { placed } }) => {
      return { updateOne: { filter: { _id }, update: { $set: { headRev: revOf(placed.length) } } } }
    }), { ordered: false })
  }
  const session = client.startSession()
  try {
    for (let attempt = 1; full.length > 0; attempt++) {
      const draft = new Draft(await readSelfLogs(log, full.map(({ _id }) => _id)))
      for (const { _id, arranged } of full) addConversation(draft, _id, arranged)
      const { result, ...failure } = await commitPlan({
        outcomes: [],
        heads: [...draft.heads.values()],
        rows: [...draft.rows.values()],
        relied: draft.reliedRows(),
        members: [...draft.members].map(([key, { from, to }]) => ({ key, from, to })),
        shownReads: []
      }, log, session)
      if (result === 'committed') break
      if (attempt === triesMax) throw new Error('conversations could not be written', { cause: failure })
    }
  } finally {
    await session.endSession()
  }
  report.conversations += full.length
  const ids = built.map(({ _id }) => _id)
  await conversations.updateMany({ _id: { $in: ids } }, { $set: { isDirty: false }, $unset: { isBuilding: true } })
}

async function readSelfLogs ({ heads, rows }: LogCollections, ids: readonly string[]): Promise<PlanInput> {
  const users = new Map(ids.flatMap(id => membersOf(id).map(user => [user.toHexString(), user])))
  const selfLogs = [...users.values()].map(selfLogId)
  const rowIds = ids.flatMap(id => membersOf(id).flatMap(user => {
    return [stateRowId(selfLogId(user), 'membership', id), stateRowId(selfLogId(user), 'read', id)]
  }))
  const [storedHeads, storedRows] = await Promise.all([
    heads.find({ _id: { $in: selfLogs } }).toArray(),
    rows.find({ _id: { $in: rowIds } }).toArray()
  ])
  return {
    heads: new Map(storedHeads.map(head => [head._id, head])),
    rows: new Map(storedRows.map(row => [row._id.toHexString(), row])),
    members: new Map()
  }
}

function addConversation (
  draft: Draft, conversationId: string, { placed, clock, lastMessageAt, readOf }: Arranged
): void {
  const users = membersOf(conversationId)
  const now = Date.now()
  let last = clock.getTime()
  let lastReadAt: Date | undefined
  for (const userId of users) {
    const other = users.find(user => !user.equals(userId))!
    const readSeq = readOf.get(other.toHexString()) ?? seqOf(0)
    const read = readSeq === 0 ? {} : { readAt: lastReadAt = new Date(++last) }
    const key = memberKey(conversationId, userId)
    draft.writeMember(key, {
      _id: key,
      conversationId,
      userId,
      role: 'member',
      joinedSeq: seqOf(0),
      joinedRev: revOf(0),
      joinedAt: placed[0]!.updatedAt,
      readSeq,
      ...read
    })
    putSelf(userId, 'membership', conversationId, { about: conversationId, userId, role: 'member' }, draft, now)
    if (readSeq > 0) putSelf(userId, 'read', conversationId, { about: conversationId, readSeq, ...read }, draft, now)
  }
  const head: Head = {
    _id: conversationId,
    kind: 'direct',
    headRev: revOf(placed.length),
    headSeq: seqOf(placed.length) satisfies Seq,
    clock: new Date(last),
    memberCount: 2,
    createdAt: placed[0]!.updatedAt,
    lastMessageAt,
    ...(lastReadAt === undefined ? {} : { lastReadAt })
  }
  draft.moveHead(conversationId, head)
}

/** The two users of a direct conversation. */
function membersOf (conversationId: string): readonly ObjectId[] {
  const parsed = parseConversationId(conversationId)
  if (parsed?.kind !== 'direct') throw new Error(`${conversationId} is no direct conversation`)
  return parsed.userIds.map(objectId)
}
