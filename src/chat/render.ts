import type { LogRow } from '../log/types.ts'
import type { Message } from '../schemas/message.ts'
import type { ChatContext } from './context.ts'
import { gather, messagePayload } from './payload.ts'
import { readSeqsOf } from './read-seqs.ts'

/** Rows of one conversation's messages as the payloads that clients get, with how far they are read now. */
export async function renderMessages (context: ChatContext, rows: readonly LogRow[]): Promise<Message[]> {
  if (rows.length === 0) return []
  const [people, readSeqs] = await Promise.all([gather(context, rows), readSeqsOf(context, rows[0]!.conversationId)])
  return rows.map(row => messagePayload(row, people, readSeqs))
}

export async function renderMessage (context: ChatContext, row: LogRow): Promise<Message> {
  return (await renderMessages(context, [row]))[0]!
}
