import { otherUser, parseConversationId } from '../chat/conversation-id.ts'
import { entitlement } from '../chat/entitled.ts'
import { TidelogError } from '../errors.ts'
import type { Live } from './services.ts'
import { placeRoom, userRoom } from './types.ts'

/**
 * Tells the others of a conversation that the caller is typing, or no longer. Whoever could not send there, or says the
 * same again too soon, is not heard.
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED
 */
export async function announceTyping ({ socket, chat, typing, subscriptions }: Live, input: { conversationId: string, on: boolean }): Promise<void> {
  const { identity } = socket.data.session
  const { userId } = identity
  const ref = parseConversationId(input.conversationId)
  if (ref === null) throw new TidelogError('NOT_FOUND')
  const { conversationId } = ref
  if (ref.kind === 'direct') {
    const other = otherUser(ref, userId)
    if (other === undefined) throw new TidelogError('NOT_FOUND')
    if (!typing.passes(conversationId, input.on, chat.now())) return
    const blocked = chat.blocks.peek(other) ?? await chat.blocks.of(other)
    if (!blocked.has(userId)) socket.to(userRoom(other)).emit('typing', { conversationId, userId, on: input.on })
    return
  }
  // Whoever gets a conversation live was let in; others are looked up.
  if (!socket.rooms.has(conversationId)) await entitlement(chat, identity, conversationId)
  if (!typing.passes(conversationId, input.on, chat.now())) return
  const hidden = subscriptions.blockersIn(conversationId, userId).map(blocker => placeRoom(conversationId, blocker))
  socket.to(conversationId).except([userRoom(userId), ...hidden]).emit('typing', { conversationId, userId, on: input.on })
}
