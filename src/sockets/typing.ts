import { apartFrom } from '../chat/directories/block-directory.ts'
import { otherUser, parseConversationId, requireRef } from '../chat/rules/conversation-id.ts'
import { requireAccess } from '../chat/access/access.ts'
import { revOf } from '../log/model/types.ts'
import type { SocketContext, SocketServices } from './context.ts'
import { type ChatServer, type TypingNotice, userRoom } from '../connection/socket-types.ts'
import { roomsIn } from '../live/audience.ts'
import type { NodeWords } from '../live/relay.ts'
import { writeTyping } from '../live/write-events.ts'

type Typing = Omit<TypingNotice, 'rev'>

/**
 * Tells the others in a conversation that the caller types or has stopped. Drops the event if the caller may not send
 * there, or repeats it too soon. Repeating it keeps the typing from ending by itself.
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED
 */
export async function announceTyping (
  live: SocketContext, input: { conversationId: string, on: boolean }
): Promise<void> {
  const { socket, chat, typing, typists } = live
  const { identity } = socket.data.session
  const { userId } = identity
  const ref = requireRef(input.conversationId, userId)
  const { conversationId } = ref
  // A socket that gets the conversation live has passed the check; others are checked now.
  if (ref.kind !== 'direct' && !socket.rooms.has(conversationId)) await requireAccess(chat, identity, conversationId)
  const isTold = typing.allows(conversationId, input.on, chat.now())
  if (!input.on) typists.stopped(conversationId, userId, socket.id)
  else if (socket.connected && typing.isOn(conversationId)) {
    typists.began(conversationId, userId, socket.id, () => { typing.ended(conversationId) })
  }
  if (!isTold) return
  // The removal of this user may not have reached this node yet.
  if (ref.kind !== 'direct' && live.nodes.isUp) await requireAccess(chat, identity, conversationId)
  await tellOthers(live, { conversationId, userId, on: input.on })
}

/** Tells the others in a conversation, on every node, except users whom a block separates from this one. */
export async function tellOthers (services: SocketServices, word: Typing): Promise<void> {
  const { io, chat, nodes } = services
  const { conversationId, userId } = word
  const ref = parseConversationId(conversationId)
  if (ref?.kind === 'direct') {
    const other = otherUser(ref, userId)
    if (other === undefined || (await apartFrom(chat.blocks, userId, [other])).size > 0) return
    const direct = { ...word, receiverId: other }
    deliverDirectTyping(io, direct)
    nodes.send('directTyping', [userRoom(other)], direct)
    return
  }
  if (!nodes.isUp) return await writeTyping(services, word)
  const known = { ...word, rev: (await chat.log.head(conversationId))?.headRev ?? revOf(0) }
  nodes.send('typing', [conversationId], known)
  deliverRemoteTyping(services, known)
}

/** Tells the other user's sockets of this process. The sending node has checked the blocks. */
export function deliverDirectTyping (io: ChatServer, { receiverId, ...word }: NodeWords['directTyping']): void {
  io.local.to(roomsIn(word.conversationId, receiverId)).emit('typing', word)
}

/**
 * Tells sockets of this process that somebody types, after the changes that the sending node had seen are delivered.
 */
export function deliverRemoteTyping ({ live }: SocketServices, notice: TypingNotice): void {
  if (!live.isNearlyFull) live.acceptAfter(notice.conversationId, notice.rev, { name: 'typing', notice })
}
