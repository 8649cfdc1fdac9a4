import type { LogRow } from '../../log/model/types.ts'
import type { Message } from '../../schemas/message.ts'
import type { ChatContext } from '../context.ts'
import { loadReferences, messagePayload } from './message-payload.ts'
import { readSeqsOf } from './read-seqs.ts'

/** Rows of one conversation's messages as the payloads that clients get, with how far they are read now. */
export async function loadMessagePayloads (context: ChatContext, rows: readonly LogRow[]): Promise<Message[]> {
  if (rows.length === 0) return []
  const [people, readSeqs] = await Promise.all([loadReferences(context, rows), readSeqsOf(context, rows[0]!.conversationId)])
  return rows.map(row => messagePayload(row, people, readSeqs))
}

export async function loadMessagePayload (context: ChatContext, row: LogRow): Promise<Message> {
  return (await loadMessagePayloads(context, [row]))[0]!
}
