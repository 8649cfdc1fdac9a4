import { type Static, Type } from '@sinclair/typebox'
import { ConversationId, Message, mentionCount, unread } from './message.ts'
import { Id, Input, Time, User } from './primitives.ts'
import { MemberRole } from './room.ts'
import { ConversationSettings, Notify } from './settings.ts'

export const ConversationKind = Type.Union([Type.Literal('direct'), Type.Literal('room'), Type.Literal('common')], { description: 'The kind of a conversation' })

export const ConversationParams = Type.Object({ conversationId: ConversationId })
export const ConversationMessageParams = Type.Object({ conversationId: ConversationId, messageId: Id })

export const SettingsInput = Input({
  mutedUntil: Type.Optional(Type.Union([Type.String({ format: 'date-time' }), Type.Null()], { description: 'No notifications until then; null ends it' })),
  notify: Type.Optional(Notify),
  archived: Type.Optional(Type.Boolean()),
  pinned: Type.Optional(Type.Boolean({ description: 'First in the list' })),
  markedUnread: Type.Optional(Type.Boolean({ description: 'Ends when you read' })),
  clearThroughSeq: Type.Optional(Type.Integer({ minimum: 0, description: 'Messages up to here are not shown to you any more; it only grows' })),
  hideSeqs: Type.Optional(Type.Array(Type.Integer({ minimum: 1 }), { maxItems: 500, description: 'These messages are not shown to you any more, for good; at most 500 in a conversation' }))
}, { description: 'The settings to change; others stay as they are' })
export type SettingsInput = Static<typeof SettingsInput>

/** What a list says of a conversation. */
export const ListedConversation = Type.Object({
  conversationId: ConversationId,
  kind: ConversationKind,
  name: Type.Optional(Type.String({ description: 'Rooms' })),
  user: Type.Optional(User),
  role: Type.Optional(MemberRole),
  memberCount: Type.Optional(Type.Integer({ description: 'Rooms' })),
  lastMessage: Type.Union([Message, Type.Null()], { description: 'Null: none is left, or none of the newest 50 is for the caller' }),
  rev: Type.Integer({ description: 'What the cursor stands for' }),
  cursor: Type.String({ description: 'Sync from here to learn what changes from now on' }),
  lastActivityAt: Type.String({ ...Time, description: 'When the last message was sent, or the caller joined' }),
  ...unread,
  ...mentionCount,
  readSeq: Type.Integer({ description: 'The caller has read up to here' }),
  settings: ConversationSettings
}, { description: 'A conversation as the caller has it: `user` is the other one of a direct conversation; `name`, `role` and `memberCount` are those of a room' })
export type ListedConversation = Static<typeof ListedConversation>

export const ConversationQuery = Type.Object({
  kind: Type.Optional(ConversationKind),
  archived: Type.Optional(Type.Boolean({ description: 'Those only that are archived, or are not; without it, both' })),
  after: Type.Optional(Type.String({ maxLength: 100, description: 'The `next` of the page before' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 30 }))
})
export type ConversationQuery = Static<typeof ConversationQuery>

export const ConversationBody = Type.Object({ success: Type.Literal(true), conversation: ListedConversation })

export const ConversationListBody = Type.Object({
  success: Type.Literal(true),
  conversations: Type.Array(ListedConversation),
  hasMore: Type.Boolean(),
  next: Type.Union([Type.String(), Type.Null()], { description: 'Goes into the next call as `after`; null at the end' })
})

const place = (description: string) => Type.Optional(Type.Integer({ minimum: 0, description }))

export const StretchQuery = Type.Object({
  before: place('Messages before this seq'),
  after: place('Messages after this seq'),
  around: place('Messages on both sides of this seq, and the one that has it'),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 }))
}, { description: 'At most one of `before`, `after` and `around`; the newest messages without any' })

export const StretchBody = Type.Object({
  success: Type.Literal(true),
  messages: Type.Array(Message, { description: 'In ascending seq' }),
  fromSeq: Type.Integer({ description: 'The page is whole from here up to its last message: a seq that is missing in between is not for the caller' }),
  asOf: Type.Object({ rev: Type.Integer(), cursor: Type.String() }, { description: 'Sync from here to learn what changed since' }),
  hasOlder: Type.Boolean({ description: 'Ask with `before: fromSeq`' }),
  hasNewer: Type.Boolean({ description: 'Ask with `after`, the seq of the last message' })
})

export const OneMessageBody = Type.Object({ success: Type.Literal(true), message: Message })

export const ReadInput = Input({ seq: Type.Integer({ minimum: 0, description: 'Everything up to here is read' }) })
