import { reactionsPayload, reactorsOf } from '../chat/rules/reactions.ts'
import type { LogRow } from '../log/model/types.ts'
import type { Reaction } from '../schemas/message.ts'
import type { ChatContext } from '../chat/context.ts'
import type { Subscriptions } from './subscriptions.ts'
import { memberRoom } from '../connection/socket-types.ts'

/** What live events must tell some who follow a conversation otherwise than the others: those whom a block concerns. */

/** Those here who have blocked somebody that reacted to this message, with the reactions that they see. */
export function ownReactions (subscriptions: Subscriptions, { conversationId, reactions, receiverId }: LogRow): Array<{ userId: string, reactions: Reaction[] }> {
  const { blocks } = subscriptions
  // Between two, blocking ends what is sent, and hides nothing of before.
  if (reactions === undefined || receiverId !== undefined || blocks.isEmpty) return []
  const viewers = new Set(reactorsOf(reactions).flatMap(userId => subscriptions.blockersIn(conversationId, userId)))
  return [...viewers].map(userId => ({ userId, reactions: reactionsPayload(reactions, blocks.blockedBy(userId)) }))
}

/**
 * Socket.IO rooms of those who follow a room or the common chat and are not told what this user does there (typing,
 * reading), because one of the two has blocked the other; at once where whom the user has blocked is cached.
 */
export function roomsApart (
  { chat, subscriptions }: { chat: ChatContext, subscriptions: Subscriptions }, conversationId: string, userId: string
): string[] | Promise<string[]> {
  const known = chat.blocks.peek(userId)
  const rooms = (blocked: ReadonlySet<string>) =>
    [...new Set([...subscriptions.blockersIn(conversationId, userId), ...blocked])].map(other => memberRoom(conversationId, other))
  return known === undefined ? chat.blocks.get(userId).then(rooms) : rooms(known)
}
