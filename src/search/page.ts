import type { ChatContext } from '../chat/context.ts'
import { loadMessagePayloads } from '../chat/payload/load-payloads.ts'
import type { LogRow } from '../log/model/types.ts'
import type { Message } from '../schemas/message.ts'
import type { Identity } from '../users/identity.ts'

/** What one call answers. */
export interface SearchPage {
  /** The newest first; while `indexing`, those of the first pages conversation by conversation. */
  messages: Message[]
  /** Some messages were not searched yet. */
  hasMore: boolean
  /** Pass it to the next call; null at the end. */
  cursor: string | null
  /** So much is not in the index yet that it is looked through first, some at a time. */
  indexing?: true
}

/**
 * The payloads of rows of any conversations, in the order of the rows.
 * @param cursor for the next call; undefined: this is the end
 */
export async function pageOf (
  chat: ChatContext, identity: Identity, rows: readonly LogRow[], cursor: string | undefined
): Promise<SearchPage> {
  const byConversation = new Map<string, LogRow[]>()
  for (const row of rows) byConversation.set(row.conversationId, [...byConversation.get(row.conversationId) ?? [], row])
  const messages = new Map<string, Message>()
  await Promise.all(Array.from(byConversation.values(), async some => {
    for (const message of await loadMessagePayloads(chat, some, identity)) messages.set(message._id, message)
  }))
  return {
    messages: rows.map(({ _id }) => messages.get(_id.toHexString())!),
    hasMore: cursor !== undefined,
    cursor: cursor ?? null
  }
}
