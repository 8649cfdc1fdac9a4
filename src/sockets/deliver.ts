import type { ChatContext } from '../chat/context.ts'
import { parseConversationId } from '../chat/conversation-id.ts'
import { gather, messagePayload, nobodyRead } from '../chat/payload.ts'
import { renderMessage } from '../chat/render.ts'
import type { Committed, CommittedRow } from '../log/commit.ts'
import type { LogRow, Member } from '../log/types.ts'
import type { CommonChatMessage, DirectMessage, Message, RoomMessage } from '../schemas/message.ts'
import { type ChatServer, type SocketServices, userRoom } from './types.ts'

/**
 * The one place that tells sockets what was committed: each change once to each socket of the entitled, in rev order.
 * A change whose payload must wait for a read holds up the later ones of its conversation, and no other. If that order
 * broke, a live client would see a hole in the revs and sync for nothing.
 */
export function startDelivery ({ io, chat, log, readers }: SocketServices): { stop: () => void, finish: () => Promise<void> } {
  const waiting = new Map<string, Promise<void>>()

  function inOrder (conversationId: string, deliver: () => void | Promise<void>): void {
    const before = waiting.get(conversationId)
    const result = before === undefined ? deliver() : before.then(deliver)
    if (result === undefined) return
    const done = result.catch((error: unknown) => {
      log.error({ err: error, conversationId }, 'a change could not be delivered live')
    }).then(() => { if (waiting.get(conversationId) === done) waiting.delete(conversationId) })
    waiting.set(conversationId, done)
  }

  const stop = chat.log.subscribe(({ rows, reads }: Committed) => {
    for (const committed of rows) {
      const { kind, conversationId, rev } = committed.row
      if (kind !== 'message') continue
      inOrder(conversationId, () => deliverRow(io, chat, committed))
      log.debug({ conversationId, rev }, 'message delivered')
    }
    for (const read of reads) inOrder(read.conversationId, () => { deliverRead(io, read, readers.get(read._id)) })
  })
  return { stop, finish: async () => { await Promise.all(waiting.values()) } }
}

function deliverRow (io: ChatServer, chat: ChatContext, { row, isNew }: CommittedRow): void | Promise<void> {
  if (!isNew) return renderMessage(chat, row).then(message => { io.to(audience(row)).emit('messageChanged', message) })
  const people = gather(chat, [row])
  if (people instanceof Promise) return people.then(found => { emitNew(io, row, messagePayload(row, found, nobodyRead)) })
  emitNew(io, row, messagePayload(row, people, nobodyRead))
}

function emitNew (io: ChatServer, row: LogRow, message: Message): void {
  const to = io.to(audience(row))
  if (row.receiverId !== undefined) to.emit('directMessage', message as DirectMessage)
  else if (row.roomId !== undefined) to.emit('roomMessage', message as RoomMessage)
  else to.emit('commonChatMessage', message as CommonChatMessage)
}

/** @param reader the socket that is answered by an acknowledgement, if it was one of this process. */
function deliverRead (io: ChatServer, { conversationId, userId, readSeq, readAt }: Member, reader: string | undefined): void {
  const ref = parseConversationId(conversationId)
  if (ref === null || readAt === undefined) return
  // The reader's own devices are told too, whether or not they get the conversation live.
  io.to(ref.kind === 'direct' ? ref.userIds.map(userRoom) : [conversationId, userRoom(userId.toHexString())])
    .except(reader ?? [])
    .emit('messagesRead', { conversationId, userId: userId.toHexString(), seq: readSeq, at: readAt.toISOString() })
}

function audience ({ conversationId, senderId, receiverId }: LogRow): string[] {
  return receiverId === undefined
    ? [conversationId]
    : [userRoom(senderId!.toHexString()), userRoom(receiverId.toHexString())]
}
