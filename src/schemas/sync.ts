import { type Static, Type } from '@sinclair/typebox'
import { DirectMessage } from './message.ts'
import { Id, Time } from './primitives.ts'

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
  reset: Type.Optional(Type.Literal(true, { description: 'The cursor cannot be served any more: drop what is held of this conversation and take the pages from here' }))
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
  unreadCount: Type.Integer({ description: 'Unread direct messages, at most 1,000 counted for a conversation' })
})
export type SyncStatusBody = Static<typeof SyncStatusBody>
