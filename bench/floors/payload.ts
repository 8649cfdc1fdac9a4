import { type Person, directId, publicUser } from '../lib/people.ts'

/** What a floor sends: payloads of the same shape and size as the product's, made without any work. */
export function directPayload (sender: Person, receiver: Person, message: string, clientMessageId: string | null, rev: number) {
  const at = new Date().toISOString()
  return {
    _id: idOf(rev),
    senderId: publicUser(sender),
    receiverId: publicUser(receiver),
    message,
    listingId: null,
    messageType: 'text',
    isRead: false,
    createdAt: at,
    updatedAt: at,
    ...additions(directId(sender, receiver), clientMessageId, rev)
  }
}

export function roomPayload (sender: Person, roomId: string, message: string, clientMessageId: string | null, rev: number) {
  return {
    _id: idOf(rev),
    user: publicUser(sender),
    message,
    timestamp: new Date().toISOString(),
    messageType: 'text',
    roomId,
    ...additions(`room_${roomId}`, clientMessageId, rev)
  }
}

const idOf = (rev: number): string => `c0000000${rev.toString(16).padStart(16, '0')}`

/** The fields that legacy clients do not know. */
const additions = (conversationId: string, clientMessageId: string | null, rev: number) =>
  ({ conversationId, seq: rev, rev, clientMessageId, replyTo: null, reactions: [], editedAt: null, isDeleted: false })
