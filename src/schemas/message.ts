import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { Id, Input, Time, User } from './primitives.ts'

const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const MessageType = Type.Union([
  Type.Literal('text'), Type.Literal('image'), Type.Literal('file'), Type.Literal('audio'), Type.Literal('video'),
  Type.Literal('location'), Type.Literal('system')
], { description: 'The kind of a message. Only administrators and the server send `system` messages' })

/** A room's id: 24 hexadecimal digits if the server made it, otherwise chosen by the user who opened the room. */
export const RoomId = Type.String({
  minLength: 1, maxLength: 64, pattern: '^(\\.*[A-Za-z0-9_:-][A-Za-z0-9_.:-]*|\\.{3,})$', description: 'The id of a room: 1–64 letters, digits and _ . : - (not . or .., which are steps of a path)'
})

export const ConversationId = Type.String({ minLength: 1, maxLength: 80, description: '`dm_<smaller user id>_<larger user id>`, `room_<roomId>` or `common_chat`' })

export const ClientMessageId = Type.String({ minLength: 1, maxLength: 64, description: 'The id that the client chooses once for each message: 1–64 code points. A repeated send with it is stored once' })

export const Reaction = Type.Object({
  emoji: Type.String(),
  count: Type.Integer(),
  userIds: Type.Array(Id, { description: 'The first 50' })
})
export type Reaction = Static<typeof Reaction>

export const Reply = Type.Object({
  _id: Id,
  seq: Type.Optional(Type.Integer({ description: 'The seq of that message; absent in old replies' })),
  senderId: Type.Optional(Id)
}, { description: 'The message to which this one replies' })
export type Reply = Static<typeof Reply>

export const Mentions = Type.Object({
  userIds: Type.Array(Id),
  all: Type.Boolean({ description: 'True: the message mentions everybody in the conversation' })
}, { description: 'The users whom the message mentions; absent: nobody' })
export type Mentions = Static<typeof Mentions>

export const MentionsInput = Input({
  userIds: Type.Optional(Type.Array(Id, { maxItems: 50, description: 'Users to mention; those who may not see the message are left out' })),
  all: Type.Optional(Type.Boolean({ description: 'True mentions everybody; only the owner and moderators of a room, and administrators, may do so' }))
}, { description: 'The users whom the message mentions' })
export type MentionsInput = Static<typeof MentionsInput>

export const SystemEvent = Type.Object({
  event: Type.Union([
    Type.Literal('created'), Type.Literal('joined'), Type.Literal('left'), Type.Literal('added'),
    Type.Literal('removed'), Type.Literal('role'), Type.Literal('renamed'), Type.Literal('pinned')
  ]),
  userId: Type.Optional({ ...Id, description: 'The user whom it is about' }),
  by: Type.Optional({ ...Id, description: 'The user who did it' }),
  role: Type.Optional(Type.Union([Type.Literal('owner'), Type.Literal('moderator'), Type.Literal('member')], {
    description: 'For `role`: the new one'
  })),
  name: Type.Optional(Type.String({ description: 'For `renamed`: the new name' })),
  messageId: Type.Optional({ ...Id, description: 'For `pinned`: the message' })
}, { description: 'The event that an announcement is about; absent in other messages, and in those of administrators' })
export type SystemEvent = Static<typeof SystemEvent>

/** Files of one message. */
const attachmentsMax = 10

const pixels = (of: string) => Type.Integer({ minimum: 1, maximum: 1_000_000, description: `${of}, in pixels` })

/** What a sender may say of a file. What the server itself has found out takes precedence. */
const aboutFile = {
  width: Type.Optional(pixels('Width of a picture or video')),
  height: Type.Optional(pixels('Height of a picture or video')),
  durationMs: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 1_000_000_000, description: 'Duration of a video or audio, in milliseconds' })
  ),
  blurhash: Type.Optional(Type.String({
    maxLength: 100,
    pattern: '^[0-9A-Za-z#$%*+,.:;=?@\\[\\]^_{|}~-]{6,}$',
    description: 'A blurred picture to show while the file loads, in the form of blurha.sh'
  }))
}

export const Attachment = Type.Object({
  _id: Id,
  name: Type.String(),
  type: Type.String({ description: 'The media type, from the content of the file' }),
  size: Type.Integer({ description: 'In bytes' }),
  ...aboutFile
}, { description: 'A file of a message. `GET /api/files/:id/content` returns its bytes' })
export type Attachment = Static<typeof Attachment>

export const AttachmentInput = Input({ fileId: Id, ...aboutFile }, {
  description: 'A file that you uploaded, or one carried by a message that you can see'
})
export type AttachmentInput = Static<typeof AttachmentInput>

/** The operation checks that it is one emoji. */
export const Emoji = Type.String({ minLength: 1, maxLength: 64, description: 'One emoji, of at most 64 bytes' })

export const ReactorsQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F]{24}$', description: 'The `cursor` of the previous page' }))
})

export const ReactorsBody = Type.Object({
  success: Type.Literal(true),
  users: Type.Array(User, { description: 'By id' }),
  count: Type.Integer({ description: 'How many users there are on all pages' }),
  hasMore: Type.Boolean(),
  cursor: orNull(Type.String({ description: 'Send it to get the next page; null: this is the last one' }))
})

/** Fields of every message that legacy clients do not know. */
const additions = {
  conversationId: ConversationId,
  seq: Type.Integer({ description: 'The message\'s place in the conversation by its creation: 1, 2, 3 …' }),
  rev: Type.Integer({ description: 'The message\'s place in the conversation by its last change' }),
  clientMessageId: orNull(Type.String()),
  replyTo: orNull(Reply),
  reactions: Type.Array(Reaction),
  mentions: Type.Optional(Mentions),
  system: Type.Optional(SystemEvent),
  attachments: Type.Optional(Type.Array(Attachment, { description: 'The files of the message; absent: none' })),
  forwarded: Type.Optional(Type.Literal(true, { description: 'The sender passes on what somebody else wrote' })),
  editedAt: orNull(Time),
  isDeleted: Type.Boolean({ description: 'True: a tombstone; its content is gone' })
}

export const DirectMessage = Type.Object({
  _id: Id,
  senderId: User,
  receiverId: User,
  message: Type.String(),
  listingId: orNull(Type.Object({ _id: Id, title: Type.String() })),
  messageType: MessageType,
  isRead: Type.Boolean(),
  createdAt: Time,
  updatedAt: Time,
  ...additions
}, { description: 'A message between two users' })

export const CommonChatMessage = Type.Object({
  _id: Id,
  user: User,
  message: Type.String(),
  timestamp: Time,
  messageType: MessageType,
  ...additions
}, { description: 'A message of the common chat' })

export const RoomMessage = Type.Object({
  ...CommonChatMessage.properties,
  roomId: RoomId
}, { description: 'A message in a room' })

export const Message = Type.Union([DirectMessage, RoomMessage, CommonChatMessage])

export type DirectMessage = Static<typeof DirectMessage>
export type CommonChatMessage = Static<typeof CommonChatMessage>
export type RoomMessage = Static<typeof RoomMessage>
export type Message = DirectMessage | CommonChatMessage | RoomMessage

const content = Type.String({
  description: 'The text: 1–4,000 code points with white space, at least one of them visible; with files it may be empty'
})

/** Fields of every kind of send. */
const sendable = {
  content,
  messageType: Type.Optional(MessageType),
  clientMessageId: Type.Optional(orNull(ClientMessageId)),
  replyTo: Type.Optional(orNull(Id)),
  mentions: Type.Optional(orNull(MentionsInput)),
  attachments: Type.Optional(orNull(Type.Array(AttachmentInput, { maxItems: attachmentsMax }))),
  forwarded: Type.Optional(Type.Boolean({ description: 'True: you pass on what somebody wrote in another message' }))
}

export const SendCommonInput = Input(sendable)
export const SendDirectInput = Input({ receiverId: Id, ...sendable, listingId: Type.Optional(orNull(Id)) })
export const SendRoomInput = Input({ roomId: RoomId, ...sendable })
/** A message to a conversation, a user or a room: exactly one of them. */
export const SendInput = Input({
  conversationId: Type.Optional(ConversationId),
  receiverId: Type.Optional(Id),
  roomId: Type.Optional(RoomId),
  ...sendable,
  listingId: Type.Optional(orNull(Id))
}, { description: 'A message to a conversation, a user or a room: name exactly one' })
/** The events that legacy clients send. Additional fields are ignored. */
export const SendCommonEvent = Type.Object(SendCommonInput.properties)
export const SendDirectEvent = Type.Object(SendDirectInput.properties)
export const SendRoomEvent = Type.Object(SendRoomInput.properties)
export const EditInput = Input({
  messageId: Id,
  content,
  mentions: Type.Optional(Type.Union([MentionsInput, Type.Null()], { description: 'The users whom the message mentions from now on; null: nobody; absent: unchanged' })),
  expectedRev: Type.Optional(Type.Integer({ minimum: 1 }))
})
/** An edit over REST: the path names the message. */
export const EditBodyInput = Type.Omit(EditInput, ['messageId'])
export const DeleteInput = Input({ messageId: Id })
export const ReactInput = Input({ messageId: Id, emoji: Emoji, on: Type.Boolean({ description: 'False removes the reaction' }) })
export const PinInput = Input({ messageId: Id, on: Type.Boolean({ description: 'False unpins the message' }) })
export const MarkReadInput = Input({ conversationId: ConversationId, seq: Type.Integer({ minimum: 0 }) })

export type SendCommonInput = Static<typeof SendCommonInput>
export type SendDirectInput = Static<typeof SendDirectInput>
export type SendInput = Static<typeof SendInput>
export type SendRoomInput = Static<typeof SendRoomInput>
export type EditInput = Static<typeof EditInput>
export type DeleteInput = Static<typeof DeleteInput>
export type ReactInput = Static<typeof ReactInput>
export type PinInput = Static<typeof PinInput>
export type MarkReadInput = Static<typeof MarkReadInput>

/** Fields of a failed acknowledgement and of a failed push operation. */
export const failureFields = {
  success: Type.Literal(false),
  code: Type.String(),
  message: Type.String(),
  retryable: Type.Boolean(),
  retryAfterMs: Type.Optional(Type.Integer()),
  current: Type.Optional(Message)
}

/** The REST body of a message that was written, edited or deleted. An acknowledgement has the same fields. */
export const messageBody = <T extends TSchema>(message: T) => Type.Object({
  success: Type.Literal(true),
  message,
  duplicate: Type.Optional(Type.Literal(true, { description: 'The message was stored before, with the same clientMessageId' })),
  rev: Type.Integer()
})

/** The pins of a conversation, in an answer and in a change. */
export const pinned = {
  messageIds: Type.Array(Id, { description: 'The pinned messages in the order in which they were pinned, at most 50' })
}

export const PinsBody = Type.Object({
  success: Type.Literal(true),
  conversationId: ConversationId,
  ...pinned,
  rev: Type.Integer({ description: 'The rev of the change `pins`; 0: nothing was ever pinned here' })
})

export const PinnedBody = Type.Object({
  success: Type.Literal(true),
  messages: Type.Array(Message, { description: 'Those that you may see, in the order in which they were pinned' })
})

/** A page of history. */
export const historyBody = <T extends TSchema>(message: T) => Type.Object({
  success: Type.Literal(true),
  messages: Type.Array(message, { description: 'By ascending seq' }),
  hasMore: Type.Boolean({ description: 'True: there are older messages. Ask with `before`: the first seq' }),
  asOf: Type.Object({ rev: Type.Integer(), cursor: Type.String() }, { description: 'Sync from here to learn what changed since' })
})

export const HistoryQuery = Type.Object({
  before: Type.Optional(Type.Integer({ minimum: 1, description: 'Only messages before this seq; absent: the newest' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 }))
})

/** What a message may have besides words. */
export const features = ['file', 'image', 'video', 'audio', 'link'] as const
export type Feature = (typeof features)[number]

export const SearchQuery = Type.Object({
  q: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 100,
    description: 'The words that a message must contain, ignoring case and accents. The last one may be the ' +
      'beginning of a word; words in quotes must follow one another as written. May be absent with `has`'
  })),
  conversationId: Type.Optional(ConversationId),
  from: Type.Optional(Id),
  before: Type.Optional(Type.String({ format: 'date-time', description: 'Only messages sent before this time' })),
  after: Type.Optional(Type.String({ format: 'date-time', description: 'Only messages sent at this time or later' })),
  has: Type.Optional(Type.Union(features.map(feature => Type.Literal(feature)), {
    description: 'Only messages with one of these'
  })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: 'The `cursor` of the previous page' }))
})
export type SearchQuery = Static<typeof SearchQuery>

export const SearchBody = Type.Object({
  success: Type.Literal(true),
  messages: Type.Array(Message, { description: 'The newest first' }),
  hasMore: Type.Boolean({ description: 'True: the search has not seen all messages yet, whether or not it found some. Ask again with `cursor`' }),
  cursor: orNull(Type.String()),
  indexing: Type.Optional(Type.Literal(true, {
    description: 'Many of your messages are not in the index yet. The first pages look through those, conversation ' +
      'by conversation; what they find may come again later'
  }))
})

export const ReadBody = Type.Object({
  success: Type.Literal(true),
  conversationId: ConversationId,
  seq: Type.Integer({ description: 'You have read everything up to this seq' }),
  at: orNull(Time)
})

export const ConversationQuery = Type.Object({
  after: Type.Optional(Type.String({ maxLength: 100, description: 'The `next` of the previous page' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 30 }))
})

export const unread = {
  unreadCount: Type.Integer({ description: 'Messages of others above your read position; at most 1,000 are counted for each conversation' }),
  unreadCountCapped: Type.Optional(Type.Literal(true, { description: 'True: there are more than are counted' }))
}

export const mentionCount = {
  mentionCount: Type.Integer({ description: 'Unread messages that mention you; at most 100 are counted for each conversation' }),
  mentionCountCapped: Type.Optional(Type.Literal(true, { description: 'True: there are more than are counted' }))
}

export const ConversationsBody = Type.Object({
  success: Type.Literal(true),
  conversations: Type.Array(Type.Object({ conversationId: ConversationId, user: User, lastMessage: DirectMessage, ...unread })),
  hasMore: Type.Boolean(),
  next: orNull(Type.String())
})

export const UnreadBody = Type.Object({
  success: Type.Literal(true),
  ...unread,
  ...mentionCount,
  conversations: Type.Record(Type.String(), Type.Integer(), { description: 'Unread messages by conversation; conversations without any are left out' }),
  mentions: Type.Record(Type.String(), Type.Integer(), { description: 'Unread messages that mention you, by conversation' })
})
