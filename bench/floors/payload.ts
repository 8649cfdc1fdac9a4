import { type Person, directId, publicUser } from '../lib/people.ts'

/** Payloads of the same shape and size as the product's, made without any work: what a floor sends. */
export function directPayload (sender: Person, receiver: Person, message: string, clientMessageId: string | null, rev: number) {
  const at = new Date().toISOString()
  return {
    _id: `c0000000${rev.toString(16).padStart(16, '0')}`,
    senderId: publicUser(sender),
    receiverId: publicUser(receiver),
    message,
    listingId: null,
    messageType: 'text',
    isRead: false,
    createdAt: at,
    updatedAt: at,
    conversationId: directId(sender, receiver),
    seq: rev,
    rev,
    clientMessageId,
    replyTo: null,
    reactions: [],
    editedAt: null,
    isDeleted: false
  }
}

export function roomPayload (sender: Person, roomId: string, message: string, clientMessageId: string | null, rev: number) {
  const at = new Date().toISOString()
  return {
    _id: `c0000000${rev.toString(16).padStart(16, '0')}`,
    user: publicUser(sender),
    message,
    timestamp: at,
    messageType: 'text',
    roomId,
    conversationId: `room_${roomId}`,
    seq: rev,
    rev,
    clientMessageId,
    replyTo: null,
    reactions: [],
    editedAt: null,
    isDeleted: false
  }
}
