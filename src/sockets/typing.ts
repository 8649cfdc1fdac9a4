import { otherUser, parseConversationId } from '../chat/rules/conversation-id.ts'
import { requireAccess } from '../chat/access/access.ts'
import { TidelogError } from '../errors.ts'
import { revOf } from '../log/model/types.ts'
import { isClustered } from '../live/socket-io.ts'
import type { SocketContext, SocketServices } from './context.ts'
import { type TypingNotice, userRoom } from '../live/socket-types.ts'
import { writeTyping } from '../live/write-events.ts'

/**
 * Tells the others of a conversation that the caller is typing, or no longer. Whoever could not send there, or says the
 * same again too soon, is not heard.
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED
 */
export async function announceTyping (live: SocketContext, input: { conversationId: string, on: boolean }): Promise<void> {
  const { io, socket, chat, typing } = live
  const { identity } = socket.data.session
  const { userId } = identity
  const ref = parseConversationId(input.conversationId)
  if (ref === null) throw new TidelogError('NOT_FOUND')
  const { conversationId } = ref
  if (ref.kind === 'direct') {
    const other = otherUser(ref, userId)
    if (other === undefined) throw new TidelogError('NOT_FOUND')
    if (!typing.allows(conversationId, input.on, chat.now())) return
    const blocked = chat.blocks.peek(other) ?? await chat.blocks.get(other)
    if (!blocked.has(userId)) socket.to(userRoom(other)).emit('typing', { conversationId, userId, on: input.on })
    return
  }
  // Whoever gets a conversation live was let in; others are looked up.
  if (!socket.rooms.has(conversationId)) await requireAccess(chat, identity, conversationId)
  if (!typing.allows(conversationId, input.on, chat.now())) return
  const word = { conversationId, userId, on: input.on }
  if (!isClustered(io)) return writeTyping(live, word)
  // This node or another may not have heard yet who was removed.
  const { head } = await requireAccess(chat, identity, conversationId)
  const known = { ...word, rev: head?.headRev ?? revOf(0) }
  io.serverSideEmit('typing', known)
  deliverRemoteTyping(live, known)
}

/** Tells sockets of this process that somebody types, when they have been told what was known where it was said. */
export function deliverRemoteTyping ({ live }: SocketServices, notice: TypingNotice): void {
  if (!live.isNearlyFull) live.acceptAfter(notice.conversationId, notice.rev, { name: 'typing', notice })
}
