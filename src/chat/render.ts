import type { LogRow } from '../log/types.ts'
import type { Message } from '../schemas/message.ts'
import type { ChatContext } from './context.ts'
import { type ReadSeqs, gather, messagePayload, nobodyRead } from './payload.ts'

/** Rows of messages as the payloads that clients get, with how far they are read now. */
export async function renderMessages (context: ChatContext, rows: readonly LogRow[]): Promise<Message[]> {
  const [people, readSeqs] = await Promise.all([gather(context, rows), readSeqsOf(context, rows)])
  return rows.map(row => messagePayload(row, people, readSeqs))
}

export async function renderMessage (context: ChatContext, row: LogRow): Promise<Message> {
  return (await renderMessages(context, [row]))[0]!
}

/** Read positions of the receivers in one direct conversation; other conversations show none. */
async function readSeqsOf (context: ChatContext, rows: readonly LogRow[]): Promise<ReadSeqs> {
  const receivers = new Map(rows.flatMap(row => row.receiverId === undefined ? [] : [[row.receiverId.toHexString(), row] as const]))
  if (receivers.size === 0) return nobodyRead
  const members = await Promise.all([...receivers.values()].map(row => context.log.member(row.conversationId, row.receiverId!)))
  return new Map(members.flatMap(member => member === undefined ? [] : [[member.userId.toHexString(), member.readSeq]]))
}
