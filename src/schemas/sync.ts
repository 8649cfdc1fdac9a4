import { type Static, Type } from '@sinclair/typebox'
import { ConversationId, DirectMessage, Message, mentionCount, pinned, unread } from './message.ts'
import { Id, Input, Time, User } from './primitives.ts'
import { ConversationSettings } from './settings.ts'

const timestamp = (description: string) =>
  Type.Union([Type.String({ maxLength: 64 }), Type.Integer(), Type.Null()], { description })

export const SyncConversationInput = Type.Object({
  otherUserId: Id,
  lastSyncTimestamp: Type.Optional(timestamp(
    'The `syncTimestamp` of the last answer (ISO-8601, or milliseconds since 1970); everything without it'
  )),
  cursor: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()], {
    description: 'The `cursor` of the last answer. It is exact, and tombstones come too'
  })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
  includeDeleted: Type.Optional(Type.Boolean({ description: 'True: tombstones come too' }))
})
export type SyncConversationInput = Static<typeof SyncConversationInput>

/** How far a user has read a conversation. */
export const ReadPosition = Type.Object({ userId: Id, seq: Type.Integer(), at: Time })
export type ReadPosition = Static<typeof ReadPosition>

export const SyncConversationBody = Type.Object({
  success: Type.Literal(true),
  messages: Type.Array(DirectMessage, { description: 'By ascending createdAt' }),
  syncTimestamp: Time,
  count: Type.Integer(),
  cursor: Type.String(),
  hasMore: Type.Boolean({ description: 'True: ask again at once with the `cursor` or `syncTimestamp` of this answer' }),
  reads: Type.Array(ReadPosition, { description: 'Read positions that moved' }),
  reset: Type.Optional(Type.Literal(true, {
    description: 'The cursor cannot be resumed: drop what you hold of this conversation, and take the pages from here'
  })),
  purgedSeq: Type.Optional(Type.Integer({
    description: 'The server has purged the messages up to this seq: drop them'
  }))
})

export const SyncStatusQuery = Type.Object({
  lastChecked: Type.Optional(Type.String({
    maxLength: 64,
    description: 'An ISO-8601 time, or milliseconds since 1970'
  }))
})

export const SyncStatusBody = Type.Object({
  success: Type.Literal(true),
  lastActivity: Type.Union([Time, Type.Null()]),
  serverTime: Time,
  userId: Id,
  hasChanges: Type.Boolean(),
  ...unread
})
export type SyncStatusBody = Static<typeof SyncStatusBody>

/** A conversation in a response: its id, or `self` for the caller's self log. */
export const SyncedId = Type.String({
  minLength: 1,
  maxLength: 80,
  description: 'The id of a conversation, or `self` for your self log'
})

const Rev = Type.Integer({ description: 'The change\'s place in the conversation: 1, 2, 3 …' })
const Role = Type.Union([Type.Literal('owner'), Type.Literal('moderator'), Type.Literal('member'), Type.Null()], {
  description: 'Null: no longer a member'
})

/** Every kind of change, the same in a sync and live. */
const MessageChange = Type.Object({ rev: Rev, kind: Type.Literal('message'), message: Message })
const MembershipChange = Type.Object({
  rev: Rev,
  kind: Type.Literal('membership'),
  conversationId: Type.Optional(ConversationId),
  userId: Id,
  role: Role,
  user: Type.Optional(User)
}, { description: 'A membership. In `self` it is yours, and names the conversation; elsewhere it names the user' })
const MetaChange = Type.Object({
  rev: Rev,
  kind: Type.Literal('meta'),
  name: Type.Optional(Type.String()),
  isPrivate: Type.Optional(Type.Boolean()),
  history: Type.Optional(Type.Union([Type.Literal('all'), Type.Literal('joined')])),
  deleted: Type.Optional(Type.Boolean()),
  topic: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  description: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  picture: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  postRole: Type.Optional(Type.Union([Type.Literal('member'), Type.Literal('moderator')])),
  slowModeS: Type.Optional(Type.Integer()),
  systemMessages: Type.Optional(Type.Boolean())
}, { description: 'All settings of a room; absent or null: it has none' })
const PurgeChange = Type.Object({ rev: Rev, kind: Type.Literal('purge'), throughSeq: Type.Integer() }, {
  description: 'The server has purged the messages up to this seq: drop them'
})
const PinsChange = Type.Object({ rev: Rev, kind: Type.Literal('pins'), ...pinned }, {
  description: 'All pinned messages of a conversation; you may not see some of them'
})
const ReadChange = Type.Object({
  rev: Rev, kind: Type.Literal('read'), conversationId: ConversationId, seq: Type.Integer(), at: Time
}, { description: 'In `self`: your read position in a conversation' })
const BlockChange = Type.Object({ rev: Rev, kind: Type.Literal('block'), userId: Id, on: Type.Boolean() }, {
  description: 'In `self`: you have blocked or unblocked a user'
})

const SettingsChange = Type.Object({
  rev: Rev, kind: Type.Literal('settings'), conversationId: ConversationId, ...ConversationSettings.properties
}, { description: 'In `self`: all your settings of a conversation' })

export const StateChange = Type.Union([
  MembershipChange, MetaChange, PurgeChange, PinsChange, ReadChange, BlockChange, SettingsChange
], { description: 'A change of anything but a message' })
export type StateChange = Static<typeof StateChange>

export const Change = Type.Union([MessageChange, ...StateChange.anyOf], { description: 'A change, in its last state' })
export type Change = Static<typeof Change>

// No maxLength: counting the characters of hundreds of cursors would cost more than decoding them.
const Cursor = Type.String({ description: 'Stands for everything of this conversation up to here; opaque' })

export const SyncInput = Input({
  cursors: Type.Optional(Type.Record(Type.String(), Type.Union([Cursor, Type.Null()]), {
    description: 'The last cursor of each conversation. A conversation without one, or with null, comes with its ' +
      'newest page'
  })),
  only: Type.Optional(Type.Boolean({
    description: 'True: the answer covers `self` and the conversations that `cursors` names, and no other'
  })),
  newest: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: 50 }), Type.Literal('all')], {
    default: 50,
    description: 'How a conversation without a cursor begins: with this many of its newest messages; or, with `all`, ' +
      'at its first message, in pages'
  })),
  limit: Type.Optional(Type.Integer({
    minimum: 1,
    maximum: 500,
    default: 500,
    description: 'Most changes in the whole answer, which also has at most 256 KiB'
  })),
  waitMs: Type.Optional(Type.Integer({
    minimum: 0,
    maximum: 25_000,
    default: 0,
    description: 'Milliseconds to wait for a change'
  }))
})
export type SyncInput = Static<typeof SyncInput>

const SyncedConversation = Type.Object({
  conversationId: SyncedId,
  kind: Type.Union([Type.Literal('direct'), Type.Literal('room'), Type.Literal('common'), Type.Literal('self')]),
  changes: Type.Array(Change, { description: 'By ascending rev' }),
  cursor: Cursor,
  rev: Type.Integer({ description: 'The rev that the cursor stands for: the next live change has rev + 1' }),
  hasMore: Type.Boolean({ description: 'True: ask again at once with the cursors of this answer' }),
  reset: Type.Optional(Type.Literal(true, {
    description: 'Drop what you hold of this conversation, and take these changes'
  })),
  fromSeq: Type.Optional(Type.Integer({
    description: 'With `reset`: when `hasMore` is false, you hold the whole conversation from this seq on; for older ' +
      'messages read its history'
  })),
  unreadCount: Type.Integer({ description: 'Messages of others above your read position; at most 1,000 are counted' }),
  unreadCountCapped: Type.Optional(Type.Literal(true, { description: 'True: there are more than are counted' })),
  ...mentionCount,
  reads: Type.Array(ReadPosition, { description: 'Read positions that moved; all of them with `reset`' })
})

export const SyncBody = Type.Object({
  success: Type.Literal(true),
  conversations: Type.Array(SyncedConversation, { description: 'The conversations with changes' }),
  hasMore: Type.Boolean({ description: 'True: ask again at once' }),
  serverTime: Time
})
export type SyncBody = Static<typeof SyncBody>

export const HeadsBody = Type.Object({
  success: Type.Literal(true),
  heads: Type.Record(Type.String(), Cursor, {
    description: 'The head of each of your conversations; it equals your cursor if nothing is new'
  })
})
