import { type Static, Type } from '@sinclair/typebox'
import { ConversationId, Message, mentionCount, unread } from './message.ts'
import { Id, Input, Time, User } from './primitives.ts'
import { MemberRole } from './room.ts'
import { ConversationSettings, Notify } from './settings.ts'

const ConversationKind = Type.Union([Type.Literal('direct'), Type.Literal('room'), Type.Literal('common')], {
  description: 'The kind of a conversation'
})

export const ConversationParams = Type.Object({ conversationId: ConversationId })
export const ConversationMessageParams = Type.Object({ conversationId: ConversationId, messageId: Id })

export const SettingsInput = Input({
  mutedUntil: Type.Optional(Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
    description: 'You get no notifications until this time; null: you get them again'
  })),
  notify: Type.Optional(Notify),
  archived: Type.Optional(Type.Boolean()),
  pinned: Type.Optional(Type.Boolean({ description: 'True: first in your list' })),
  markedUnread: Type.Optional(Type.Boolean({ description: 'True: shown as unread until you read it' })),
  clearThroughSeq: Type.Optional(Type.Integer({
    minimum: 0,
    description: 'The server does not show you messages up to this seq any more. You can raise it, not lower it'
  })),
  hideSeqs: Type.Optional(Type.Array(Type.Integer({ minimum: 1 }), {
    maxItems: 500,
    description: 'The server never shows you these messages again; at most 500 for each conversation'
  }))
}, { description: 'The settings to change; the others stay' })
export type SettingsInput = Static<typeof SettingsInput>

/** A conversation in a list. */
export const ListedConversation = Type.Object({
  conversationId: ConversationId,
  kind: ConversationKind,
  name: Type.Optional(Type.String({ description: 'Of a room: its name' })),
  topic: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  picture: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  user: Type.Optional(User),
  role: Type.Optional(MemberRole),
  memberCount: Type.Optional(Type.Integer({ description: 'Of a room: the number of its members' })),
  lastMessage: Type.Union([Message, Type.Null()], {
    description: 'Null: there is none, or you may see none of the newest 50'
  }),
  rev: Type.Integer({ description: 'The rev that the cursor stands for' }),
  cursor: Type.String({ description: 'Sync with it to learn what changes from now on' }),
  lastActivityAt: Type.String({ ...Time, description: 'When the last message was sent, or you joined' }),
  ...unread,
  ...mentionCount,
  readSeq: Type.Integer({ description: 'You have read everything up to this seq' }),
  settings: ConversationSettings
}, {
  description: 'A conversation of yours. `user` is the other user of a direct conversation; `name`, `topic`, ' +
    '`picture`, `role` and `memberCount` are of a room'
})
export type ListedConversation = Static<typeof ListedConversation>

export const ConversationQuery = Type.Object({
  kind: Type.Optional(ConversationKind),
  archived: Type.Optional(Type.Boolean({
    description: 'True: only archived conversations; false: only the others; absent: both'
  })),
  after: Type.Optional(Type.String({ maxLength: 100, description: 'The `next` of the previous page' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 30 }))
})
export type ConversationQuery = Static<typeof ConversationQuery>

export const ConversationBody = Type.Object({ success: Type.Literal(true), conversation: ListedConversation })

export const SettingsBody = Type.Object({
  ...ConversationBody.properties,
  rev: Type.Integer({ description: 'The rev of your settings in `self`; 0: you never changed any here' })
})

export const ConversationListBody = Type.Object({
  success: Type.Literal(true),
  conversations: Type.Array(ListedConversation),
  hasMore: Type.Boolean(),
  next: Type.Union([Type.String(), Type.Null()], {
    description: 'Send it as `after` to get the next page; null: this is the last one'
  })
})

const place = (description: string) => Type.Optional(Type.Integer({ minimum: 0, description }))

export const StretchQuery = Type.Object({
  before: place('Messages before this seq'),
  after: place('Messages after this seq'),
  around: place('Messages on both sides of this seq, and the one that has it'),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 }))
}, { description: 'At most one of `before`, `after` and `around`; without any, the newest messages' })

export const StretchBody = Type.Object({
  success: Type.Literal(true),
  messages: Type.Array(Message, { description: 'By ascending seq' }),
  fromSeq: Type.Integer({
    description: 'The page is complete from this seq up to its last message: if a seq is missing in between, you ' +
      'may not see that message'
  }),
  asOf: Type.Object({ rev: Type.Integer(), cursor: Type.String() }, {
    description: 'Sync from here to learn what changed since'
  }),
  hasOlder: Type.Boolean({ description: 'True: there are older messages. Ask with `before: fromSeq`' }),
  hasNewer: Type.Boolean({
    description: 'True: there are newer messages. Ask with `after`: the seq of the last message'
  })
})

export const OneMessageBody = Type.Object({ success: Type.Literal(true), message: Message })

export const ReadInput = Input({
  seq: Type.Integer({ minimum: 0, description: 'You have read everything up to this seq' })
})
