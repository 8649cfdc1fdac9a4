import { type Static, Type } from '@sinclair/typebox'
import { ConversationId, DirectMessage, Message, mentionCount, unread } from './message.ts'
import { Id, Input, Time } from './primitives.ts'
import { ConversationSettings } from './settings.ts'

const timestamp = (description: string) => Type.Union([Type.String({ maxLength: 64 }), Type.Integer(), Type.Null()], { description })

export const SyncConversationInput = Type.Object({
  otherUserId: Id,
  lastSyncTimestamp: Type.Optional(timestamp('The `syncTimestamp` of the last answer (ISO-8601, or milliseconds since 1970); everything without it')),
  cursor: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()], { description: 'The `cursor` of the last answer: exact, and includes tombstones' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
  includeDeleted: Type.Optional(Type.Boolean({ description: 'Include tombstones' }))
})
export type SyncConversationInput = Static<typeof SyncConversationInput>

/** How far somebody has read a conversation. */
export const ReadPosition = Type.Object({ userId: Id, seq: Type.Integer(), at: Time })
export type ReadPosition = Static<typeof ReadPosition>

export const SyncConversationBody = Type.Object({
  success: Type.Literal(true),
  messages: Type.Array(DirectMessage, { description: 'In createdAt order' }),
  syncTimestamp: Time,
  count: Type.Integer(),
  cursor: Type.String(),
  hasMore: Type.Boolean({ description: 'Ask again at once with what this answer returned' }),
  reads: Type.Array(ReadPosition, { description: 'Read positions that moved' }),
  reset: Type.Optional(Type.Literal(true, { description: 'The cursor cannot be served any more: drop what is held of this conversation and take the pages from here' })),
  purgedSeq: Type.Optional(Type.Integer({ description: 'Messages up to this seq are gone (retention): drop them' }))
})

export const SyncStatusQuery = Type.Object({
  lastChecked: Type.Optional(Type.String({ maxLength: 64, description: 'ISO-8601, or milliseconds since 1970' }))
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

/** A conversation in an answer: its id, or `self` for the caller's own log. */
export const SyncedId = Type.String({ minLength: 1, maxLength: 80, description: 'A conversation\'s id, or `self`: the caller\'s own log' })

const Rev = Type.Integer({ description: 'Place in the conversation\'s change order' })
const Role = Type.Union([Type.Literal('owner'), Type.Literal('moderator'), Type.Literal('member'), Type.Null()], { description: 'null: no longer a member' })

/** Every kind of change, in a sync as live. */
export const MessageChange = Type.Object({ rev: Rev, kind: Type.Literal('message'), message: Message })
export const MembershipChange = Type.Object({
  rev: Rev,
  kind: Type.Literal('membership'),
  conversationId: Type.Optional(ConversationId),
  userId: Id,
  role: Role
}, { description: 'In `self`, with the conversation: the caller\'s own membership' })
export const MetaChange = Type.Object({
  rev: Rev,
  kind: Type.Literal('meta'),
  name: Type.Optional(Type.String()),
  isPrivate: Type.Optional(Type.Boolean()),
  history: Type.Optional(Type.Union([Type.Literal('all'), Type.Literal('joined')])),
  deleted: Type.Optional(Type.Boolean())
}, { description: 'A room\'s settings, all of them' })
export const PurgeChange = Type.Object({ rev: Rev, kind: Type.Literal('purge'), throughSeq: Type.Integer() }, { description: 'Messages up to this seq are gone: drop them' })
export const ReadChange = Type.Object({
  rev: Rev, kind: Type.Literal('read'), conversationId: ConversationId, seq: Type.Integer(), at: Time
}, { description: 'In `self`: how far the caller has read' })
export const BlockChange = Type.Object({ rev: Rev, kind: Type.Literal('block'), userId: Id, on: Type.Boolean() }, { description: 'In `self`: whom the caller has blocked' })

export const SettingsChange = Type.Object({
  rev: Rev, kind: Type.Literal('settings'), conversationId: ConversationId, ...ConversationSettings.properties
}, { description: 'In `self`: the caller\'s settings of a conversation, all of them' })

export const StateChange = Type.Union([MembershipChange, MetaChange, PurgeChange, ReadChange, BlockChange, SettingsChange], { description: 'A change of all but a message' })
export type StateChange = Static<typeof StateChange>

export const Change = Type.Union([MessageChange, ...StateChange.anyOf], { description: 'A change, at the place of its last form' })
export type Change = Static<typeof Change>

// Without a greatest length: counting the characters of hundreds of them would cost more than looking at them.
const Cursor = Type.String({ description: 'Opaque: everything of this conversation up to here' })

export const SyncInput = Input({
  cursors: Type.Optional(Type.Record(Type.String(), Type.Union([Cursor, Type.Null()]), {
    description: 'The last cursor of each conversation; one without it, or with null, comes with its newest page'
  })),
  only: Type.Optional(Type.Boolean({ description: 'True: look at `self` and the conversations that `cursors` names, and at no other' })),
  newest: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: 50 }), Type.Literal('all')], {
    default: 50,
    description: 'How a conversation without a cursor begins: with this many of its newest messages, or with all of them from the first one on, in pages'
  })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 500, description: 'Changes in the whole answer; it takes no more than 256 KiB either' })),
  waitMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 25_000, default: 0, description: 'Wait so long for a change' }))
})
export type SyncInput = Static<typeof SyncInput>

export const SyncedConversation = Type.Object({
  conversationId: SyncedId,
  kind: Type.Union([Type.Literal('direct'), Type.Literal('room'), Type.Literal('common'), Type.Literal('self')]),
  changes: Type.Array(Change, { description: 'In ascending rev' }),
  cursor: Cursor,
  rev: Type.Integer({ description: 'What the cursor stands for: the next live change has the rev behind it' }),
  hasMore: Type.Boolean({ description: 'Ask again at once with the cursors of this answer' }),
  reset: Type.Optional(Type.Literal(true, { description: 'Drop what is held of this conversation and take these changes' })),
  fromSeq: Type.Optional(Type.Integer({ description: 'With `reset`: the conversation is whole from this seq on when `hasMore` is false; older messages come by history' })),
  unreadCount: Type.Integer({ description: 'Messages of others behind the caller\'s read position, at most 1,000' }),
  unreadCountCapped: Type.Optional(Type.Literal(true, { description: 'There are more than are counted' })),
  ...mentionCount,
  reads: Type.Array(ReadPosition, { description: 'Read positions that moved; all of them with `reset`' })
})

export const SyncBody = Type.Object({
  success: Type.Literal(true),
  conversations: Type.Array(SyncedConversation, { description: 'Those with changes' }),
  hasMore: Type.Boolean({ description: 'Ask again at once' }),
  serverTime: Time
})
export type SyncBody = Static<typeof SyncBody>

export const HeadsBody = Type.Object({
  success: Type.Literal(true),
  heads: Type.Record(Type.String(), Cursor, { description: 'Where each of the caller\'s conversations stands: equal to the own cursor where nothing is new' })
})
