import type { LogRow } from '../../log/model/types.ts'
import type { Message } from '../../schemas/message.ts'
import type { ChatContext } from '../context.ts'
import { loadReferences, messagePayload, noReads } from './message-payload.ts'
import { reactionsPayload } from '../rules/reactions.ts'
import { readSeqsOf } from './read-seqs.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * The payloads of one conversation's messages, with the current read positions.
 * @param viewer the user who gets them; undefined: the same payload for everybody
 */
export async function loadMessagePayloads (
  context: ChatContext, rows: readonly LogRow[], viewer?: Pick<Identity, 'userId'>
): Promise<Message[]> {
  if (rows.length === 0) return []
  const [people, readSeqs] = await Promise.all([
    loadReferences(context, rows), readSeqsOf(context, rows[0]!.conversationId, viewer?.userId)
  ])
  // In a direct conversation, a block stops new messages and hides no earlier reactions.
  const differs =
    viewer !== undefined &&
    rows.some(({ reactions, receiverId }) => reactions !== undefined && receiverId === undefined)
  const shown = differs ? { ...people, hidden: await context.blocks.get(viewer.userId) } : people
  return rows.map(row => messagePayload(row, shown, readSeqs))
}

/** Payloads of rows that were just committed. */
const committed = new WeakMap<LogRow, Message | Promise<Message>>()

/**
 * The payload of a message that was just committed, built once for its acknowledgement and its delivery. It needs no
 * promise if the message is new (so nobody has read it) and its references are cached.
 */
export function committedMessage (context: ChatContext, row: LogRow, isNew: boolean): Message | Promise<Message> {
  const before = committed.get(row)
  if (before !== undefined) return before
  const message = isNew ? renderNew(context, row) : loadMessagePayload(context, row)
  committed.set(row, message)
  // After a failure the next call tries again.
  if (message instanceof Promise) message.catch(() => { committed.delete(row) })
  return message
}

function renderNew (context: ChatContext, row: LogRow): Message | Promise<Message> {
  const people = loadReferences(context, [row])
  return people instanceof Promise
    ? people.then(found => messagePayload(row, found, noReads))
    : messagePayload(row, people, noReads)
}

/** The same payload for one viewer: without the reactions of users whom the viewer has blocked. */
export async function committedMessageFor (
  context: ChatContext, row: LogRow, viewer: Pick<Identity, 'userId'>
): Promise<Message> {
  const message = await committedMessage(context, row, false)
  if (row.reactions === undefined || row.receiverId !== undefined) return message
  const blocked = await context.blocks.get(viewer.userId)
  return blocked.size === 0 ? message : { ...message, reactions: reactionsPayload(row.reactions, blocked) }
}

export async function loadMessagePayload (
  context: ChatContext, row: LogRow, viewer?: Pick<Identity, 'userId'>
): Promise<Message> {
  return (await loadMessagePayloads(context, [row], viewer))[0]!
}
