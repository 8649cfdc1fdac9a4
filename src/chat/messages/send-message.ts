import { createHash } from 'node:crypto'
import { ObjectId } from 'mongodb'
import { TidelogError } from '../../errors.ts'
import type { Mutation, NewRow } from '../../log/commit/plan.ts'
import type { LogRow } from '../../log/model/types.ts'
import type { AttachmentInput, MentionsInput, Message } from '../../schemas/message.ts'
import { isLonger, isVisible, wellFormed } from '../../schemas/text.ts'
import type { ChatContext } from '../context.ts'
import { objectId } from '../rules/conversation-id.ts'
import { requireAccess, requireCommittedByMember } from '../access/access.ts'
import { attachmentsKey, attachmentsOf, messageTypeFor } from './attachments.ts'
import { isRetry } from './is-retry.ts'
import { mentionedIn } from './mentions.ts'
import { committedMessage, loadMessagePayload } from '../payload/load-payloads.ts'
import { tombstoneOf } from '../rules/tombstone.ts'
import type { Identity } from '../../users/identity.ts'
import { mentionsKey } from '../rules/mentions.ts'

export interface SentMessage<M extends Message = Message> {
  message: M
  /** The message was stored before with the same clientMessageId. */
  duplicate: boolean
  rev: number
}

/** The fields that the schemas of the three inputs share. */
export interface MessageInput {
  content: string
  messageType?: Message['messageType']
  clientMessageId?: string | null
  listingId?: string | null
  replyTo?: string | null
  mentions?: MentionsInput | null
  attachments?: AttachmentInput[] | null
  forwarded?: boolean
}

/**
 * The content as it is stored. The limit applies to it: white space counts and is kept.
 * @param mayBeEmpty the message has something else to show
 * @throws TidelogError VALIDATION if nothing is visible, or it is longer than `charsMax` code points
 */
export function storedContent (content: string, charsMax: number, mayBeEmpty = false): string {
  if (mayBeEmpty && content === '') return content
  if (isLonger(content, charsMax)) {
    throw new TidelogError('VALIDATION', `content must not be longer than ${charsMax} characters`)
  }
  const stored = wellFormed(content)
  if (!isVisible(stored)) throw new TidelogError('VALIDATION', 'content must have a visible character')
  return stored
}

/** Checks a new message and builds its row. */
export async function buildMessageRow (
  context: ChatContext, identity: Identity, conversationId: string, input: MessageInput
): Promise<NewRow> {
  const message = storedContent(input.content, context.limits.messageCharsMax, (input.attachments?.length ?? 0) > 0)
  const attachments = await attachmentsOf(context, identity, conversationId, input)
  const messageType = input.messageType ?? messageTypeFor(attachments)
  if (messageType === 'system' && !identity.isAdmin) {
    throw new TidelogError('VALIDATION', 'messageType must not be system: only administrators send such messages')
  }
  const { listingId, replyTo, clientMessageId } = input
  const row: NewRow = { _id: new ObjectId(), kind: 'message', senderId: identity.id, message, messageType }
  if (listingId != null) row.listingId = listingId.toLowerCase()
  if (replyTo != null) {
    Object.assign(row, await repliedMessage(context, identity, conversationId, replyTo, clientMessageId))
  }
  const mentioned = await mentionedIn(context, identity, conversationId, input.mentions)
  if (mentioned.length > 0) row.mentioned = mentioned
  if (attachments.length > 0) row.attachments = attachments
  if (input.forwarded === true) row.forwarded = true
  if (clientMessageId != null) {
    row.clientMessageId = wellFormed(clientMessageId)
    row.bodyHash = bodyHash(row, input)
  }
  return row
}

/** Commits a message and turns the outcome into the sender's reply. */
export async function commitMessage<M extends Message> (
  context: ChatContext, append: Extract<Mutation, { type: 'append' }>
): Promise<SentMessage<M>> {
  const outcome = await context.log.commit({ mutations: [append] })
  if (outcome.outcome === 'duplicate') return await answerDuplicate<M>(context, outcome.row)
  if (outcome.outcome === 'mismatch') throw new TidelogError('IDEMPOTENCY_MISMATCH')
  const { rows } = await requireCommittedByMember(context, append.conversationId, outcome)
  return await answerSent<M>(context, rows[0]!)
}

/**
 * The reply to a retry whose first try was stored, even if the sender may no longer send; null if no first try was
 * stored.
 * @throws TidelogError IDEMPOTENCY_MISMATCH
 */
export async function findDuplicate<M extends Message> (
  context: ChatContext, conversationId: string, row: NewRow
): Promise<SentMessage<M> | null> {
  const { senderId, clientMessageId } = row
  if (senderId === undefined || clientMessageId === undefined) return null
  const stored = await context.log.collections.rows.findOne({ conversationId, senderId, clientMessageId })
  if (stored === null) return null
  if (stored.bodyHash !== row.bodyHash) throw new TidelogError('IDEMPOTENCY_MISMATCH')
  return await answerDuplicate<M>(context, stored)
}

async function answerSent<M extends Message> (context: ChatContext, row: LogRow): Promise<SentMessage<M>> {
  const message = committedMessage(context, row, true)
  return { message: (message instanceof Promise ? await message : message) as M, duplicate: false, rev: row.rev }
}

/**
 * A retry gets the current message, which may have been read, edited or deleted since. A purged one counts as deleted.
 */
async function answerDuplicate<M extends Message> (context: ChatContext, row: LogRow): Promise<SentMessage<M>> {
  const head = await context.log.head(row.conversationId)
  const shown = row.seq! <= (head?.purgedSeq ?? 0) ? tombstoneOf(row) : row
  return {
    message: (await loadMessagePayload(context, shown, { userId: row.senderId!.toHexString() })) as M,
    duplicate: true,
    rev: row.rev
  }
}

async function repliedMessage (
  context: ChatContext,
  identity: Identity,
  conversationId: string,
  replyTo: string,
  clientMessageId: string | null | undefined
): Promise<Pick<NewRow, 'replyTo' | 'replySeq' | 'replySenderId'>> {
  const id = objectId(replyTo)
  const [{ fromSeq }, row] = await Promise.all([
    requireAccess(context, identity, conversationId),
    context.log.collections.rows.findOne(
      { _id: id, conversationId, kind: 'message' }, { projection: { seq: 1, senderId: 1 } }
    )
  ])
  if (row !== null && row.seq! > fromSeq) return { replyTo: id, replySeq: row.seq!, replySenderId: row.senderId! }
  // A retry names references that were valid when the message was stored.
  if (!(await isRetry(context, identity, conversationId, clientMessageId))) {
    throw new TidelogError('VALIDATION', 'replyTo must name a message of this conversation')
  }
  return { replyTo: id }
}

/**
 * Hashes the requested mentions, files and type, not the stored ones: at a retry other users may see the message, and a
 * file may be gone.
 */
function bodyHash (
  { message, listingId, replyTo }: NewRow, { messageType = 'text', mentions, attachments, forwarded }: MessageInput
): string {
  const named = mentionsKey(mentions)
  const files = attachments == null || attachments.length === 0 ? [] : [attachmentsKey(attachments)]
  const more = [...(named === undefined ? [] : [named]), ...files, ...(forwarded === true ? ['forwarded'] : [])]
  const body = JSON.stringify([message, messageType, listingId ?? null, replyTo?.toHexString() ?? null, ...more])
  return createHash('sha256').update(body).digest().subarray(0, 16).toString('base64url')
}
