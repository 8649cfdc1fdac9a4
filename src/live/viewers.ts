import { reactionsPayload, reactorsOf } from '../chat/rules/reactions.ts'
import type { LogRow } from '../log/model/types.ts'
import type { Reaction } from '../schemas/message.ts'
import type { ChatContext } from '../chat/context.ts'
import type { Subscriptions } from './subscriptions.ts'
import { memberRoom } from '../connection/socket-types.ts'

/** Subscribers who, because of a block, get a live event in another form or not at all. */

/** Users here who have blocked somebody that reacted to this message, with the reactions that they see. */
export function ownReactions (
  subscriptions: Subscriptions, { conversationId, reactions, receiverId }: LogRow
): Array<{ userId: string, reactions: Reaction[] }> {
  const { blocks } = subscriptions
  // In a direct conversation a block stops new messages and hides nothing old.
  if (reactions === undefined || receiverId !== undefined || blocks.isEmpty) return []
  const viewers = new Set(reactorsOf(reactions).flatMap(userId => subscriptions.blockersIn(conversationId, userId)))
  return [...viewers].map(userId => ({ userId, reactions: reactionsPayload(reactions, blocks.blockedBy(userId)) }))
}

/**
 * Socket.IO rooms of users who follow a room or the common chat but must not get this user's typing and reading
 * there, because one of the two has blocked the other. Returns without a promise if the user's blocks are cached.
 */
export function roomsApart (
  { chat, subscriptions }: { chat: ChatContext, subscriptions: Subscriptions }, conversationId: string, userId: string
): string[] | Promise<string[]> {
  const known = chat.blocks.peek(userId)
  const rooms = (blocked: ReadonlySet<string>) =>
    [...new Set([...subscriptions.blockersIn(conversationId, userId), ...blocked])].map(other =>
      memberRoom(conversationId, other)
    )
  return known === undefined ? chat.blocks.get(userId).then(rooms) : rooms(known)
}
