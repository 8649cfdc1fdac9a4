import type { Attachment, MessageType, OwnUser } from '../values.ts'
import type { Person, Row } from './state.ts'
import type { WireAttachment, WireMessage, WireOwnUser, WireUser } from './wire.ts'

/** Wire shapes of messages and users end here; those of the log in `changes.ts`. */

const time = (text: string) => Date.parse(text)

export function toRow (message: WireMessage): Row {
  const { _id, conversationId, seq, rev, clientMessageId, replyTo, reactions, editedAt, isDeleted } = message
  const { mentions, attachments, system, forwarded } = message
  const [sender, createdAt] = 'user' in message ? [message.user, message.timestamp] : [message.senderId, message.createdAt]
  return {
    conversationId,
    id: _id,
    seq,
    rev,
    senderId: sender._id,
    ...(clientMessageId === null ? {} : { clientMessageId }),
    text: message.message,
    type: message.messageType as MessageType,
    createdAt: time(createdAt),
    ...(editedAt === null ? {} : { editedAt: time(editedAt) }),
    isDeleted,
    ...(replyTo === null ? {} : { replyTo: typeof replyTo === 'string' ? { id: replyTo } : { id: replyTo._id, seq: replyTo.seq, senderId: replyTo.senderId } }),
    reactions,
    ...(mentions === undefined ? {} : { mentions }),
    ...(attachments === undefined || attachments.length === 0 ? {} : { attachments: attachments.map(toAttachment) }),
    ...(system === undefined ? {} : { system }),
    ...(forwarded === undefined ? {} : { forwarded })
  }
}

export function toAttachment ({ _id, ...rest }: WireAttachment): Attachment {
  return { id: _id, ...rest }
}

export function toPerson ({ _id, fullName, username, profilePicture }: WireUser): Person {
  return { id: _id, fullName, username, picture: profilePicture }
}

export function toOwnUser (user: WireUser & Partial<WireOwnUser>): OwnUser {
  const { email, isAdmin } = user
  return { ...toPerson(user), ...(email === undefined ? {} : { email }), ...(isAdmin === undefined ? {} : { isAdmin }) }
}
