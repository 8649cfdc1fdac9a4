import type { ObjectId } from 'mongodb'
import { noteEnd } from '../files/sweep.ts'
import { indexNames } from '../log/model/collections.ts'
import { revOf, selfLogId, seqOf } from '../log/model/types.ts'
import type { ChatContext } from './context.ts'
import { commonChatId } from './rules/conversation-id.ts'
import { leaveForGoodRule } from './rules/room-rules.ts'
import { deletionOf } from './rules/tombstone.ts'
import { ensureOwner, roomsOf } from './succession.ts'

/**
 * Removes from the conversations what an erased user has written there. Each step may be repeated: after an interrupted
 * run another one begins anew, on any node.
 */

/** Messages that are deleted at once, and rows of a self log in one read. */
const atOnce = 100

/**
 * Leaves the user's rooms and deletes the messages that they sent or that announce them, in every conversation that
 * they were ever in. The tombstones keep place and time. Reactions to others' messages stay.
 * @param signal ends it between two steps
 * @returns how many messages were deleted
 */
export async function eraseFromConversations (
  context: ChatContext, userId: ObjectId, signal?: AbortSignal
): Promise<number> {
  await leaveRooms(context, userId)
  let deleted = 0
  for await (const conversationId of conversationsOf(context, userId)) {
    if (signal?.aborted === true) return deleted
    deleted += await deleteMessages(context, conversationId, userId, signal)
  }
  return deleted
}

async function leaveRooms (context: ChatContext, userId: ObjectId): Promise<void> {
  for (const { conversationId, role } of await roomsOf(context, userId)) {
    if (role === 'owner') await ensureOwner(context, conversationId)
    await context.log.commit({ mutations: [{ type: 'member', conversationId, userId, role: leaveForGoodRule }] })
  }
}

/** The common chat, which has no members, and what the self log names: also the rooms that the user left before. */
async function * conversationsOf ({ log }: ChatContext, userId: ObjectId): AsyncGenerator<string> {
  yield commonChatId
  const conversationId = selfLogId(userId)
  for (let after = revOf(0); ;) {
    const rows = await log.collections.rows
      .find({ conversationId, rev: { $gt: after } }, { projection: { rev: 1, kind: 1, about: 1 } })
      .sort({ rev: 1 }).hint(indexNames.byRev).limit(atOnce).batchSize(atOnce + 1).toArray()
    for (const { kind, about } of rows) if (kind === 'membership' && about !== undefined) yield about
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.rev
  }
}

async function deleteMessages (
  { log, files }: ChatContext, conversationId: string, userId: ObjectId, signal?: AbortSignal
): Promise<number> {
  let deleted = 0
  for (let after = seqOf(0); ;) {
    const some = await log.collections.rows.find({
      conversationId,
      seq: { $gt: after },
      isDeleted: { $ne: true },
      $or: [{ senderId: userId }, { 'system.userId': userId }]
    }, { projection: { seq: 1, attachments: 1 } })
      .sort({ seq: 1 }).hint(indexNames.bySeq).limit(atOnce).batchSize(atOnce + 1).toArray()
    const last = some.at(-1)
    if (last === undefined || signal?.aborted === true) return deleted
    await noteEnd(files, some.flatMap(({ attachments = [] }) => attachments.map(({ _id }) => _id)))
    // One unit each: a purge may take one of them away meanwhile. The log commits those that wait in one transaction.
    const outcomes = await Promise.all(some.map(async ({ _id }) =>
      await log.commit({ mutations: [{ type: 'revise', conversationId, rowId: _id, decide: deletionOf }] })))
    deleted += outcomes.filter(({ outcome }) => outcome === 'committed').length
    after = last.seq!
  }
}
