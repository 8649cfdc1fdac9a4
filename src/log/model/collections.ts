import type { Collection, Db, IndexDescription } from 'mongodb'
import { noDeadline } from '../no-deadline.ts'
import type { Head, LogRow, Member } from './types.ts'

export interface LogCollections {
  heads: Collection<Head>
  rows: Collection<LogRow>
  members: Collection<Member>
}

/** Indexes that scans name in a hint: without it, a query could sort or scan a whole history. */
export const indexNames = {
  byRev: 'conversation_rev',
  bySeq: 'conversation_seq',
  byClientId: 'conversation_sender_clientMessageId',
  byTime: 'conversation_updatedAt',
  byBlock: 'conversation_about_blocked',
  bySettings: 'conversation_about_settings',
  byHidden: 'conversation_hiddenSeqs',
  byCleared: 'conversation_clearedSeq',
  byMention: 'conversation_mentioned_seq',
  byAttachment: 'conversation_attachment_seq',
  byBan: 'conversation_user_banned',
  byMember: 'user_conversation',
  byConversation: 'conversation_user',
  byOwner: 'conversation_owner',
  publicRooms: 'public_rooms',
  roomsByName: 'public_rooms_name',
  roomsByMembers: 'public_rooms_members',
  roomsByActivity: 'public_rooms_activity',
  deletedRooms: 'deleted_rooms'
} as const

/** The collections' names in the database. */
export const collectionNames = { heads: 'conversations', rows: 'log', members: 'members' } as const

export function logCollections (db: Db): LogCollections {
  return {
    heads: db.collection(collectionNames.heads),
    rows: db.collection(collectionNames.rows),
    members: db.collection(collectionNames.members)
  }
}

/**
 * Every index that the log needs. `conversationId` is the first key of those on rows, so that it can be the shard key.
 */
export const logIndexes: Record<keyof LogCollections, ReadonlyArray<IndexDescription & { name: string }>> = {
  heads: [
    { key: { kind: 1 }, name: 'kind' },
    { key: { isPrivate: 1, _id: 1 }, name: indexNames.publicRooms, partialFilterExpression: { isPrivate: false } },
    {
      key: { isPrivate: 1, nameKey: 1, _id: 1 },
      name: indexNames.roomsByName,
      partialFilterExpression: { isPrivate: false }
    },
    {
      key: { isPrivate: 1, memberCount: 1, _id: 1 },
      name: indexNames.roomsByMembers,
      partialFilterExpression: { isPrivate: false }
    },
    {
      key: { isPrivate: 1, lastMessageAt: 1, _id: 1 },
      name: indexNames.roomsByActivity,
      partialFilterExpression: { isPrivate: false }
    },
    { key: { memberCount: 1 }, name: indexNames.deletedRooms, partialFilterExpression: { deleted: true } }
  ],
  rows: [
    { key: { conversationId: 1, rev: 1 }, name: indexNames.byRev, unique: true },
    {
      key: { conversationId: 1, seq: 1 },
      name: indexNames.bySeq,
      unique: true,
      partialFilterExpression: { seq: { $exists: true } }
    },
    {
      key: { conversationId: 1, senderId: 1, clientMessageId: 1 },
      name: indexNames.byClientId,
      unique: true,
      partialFilterExpression: { clientMessageId: { $exists: true } }
    },
    // Only direct conversations are read by time: legacy clients know no other cursor.
    {
      key: { conversationId: 1, updatedAt: 1 },
      name: indexNames.byTime,
      partialFilterExpression: { receiverId: { $exists: true } }
    },
    { key: { conversationId: 1, about: 1 }, name: indexNames.byBlock, partialFilterExpression: { on: true } },
    {
      key: { conversationId: 1, about: 1 },
      name: indexNames.bySettings,
      partialFilterExpression: { kind: 'settings' }
    },
    {
      key: { conversationId: 1, mentioned: 1, seq: 1 },
      name: indexNames.byMention,
      partialFilterExpression: { mentioned: { $exists: true } }
    },
    {
      key: { conversationId: 1, 'attachments._id': 1, seq: 1 },
      name: indexNames.byAttachment,
      partialFilterExpression: { 'attachments._id': { $exists: true } }
    },
    { key: { conversationId: 1, userId: 1 }, name: indexNames.byBan, partialFilterExpression: { banned: true } }
  ],
  members: [
    { key: { userId: 1, conversationId: 1 }, name: indexNames.byMember, unique: true },
    { key: { conversationId: 1, userId: 1 }, name: indexNames.byConversation },
    {
      key: { conversationId: 1, hiddenSeqs: 1 },
      name: indexNames.byHidden,
      partialFilterExpression: { hiddenSeqs: { $exists: true } }
    },
    {
      key: { conversationId: 1, clearedSeq: 1 },
      name: indexNames.byCleared,
      partialFilterExpression: { clearedSeq: { $exists: true } }
    },
    { key: { conversationId: 1 }, name: indexNames.byOwner, partialFilterExpression: { role: 'owner' } }
  ]
}

/**
 * Creates the missing indexes and collections. A transaction on an old MongoDB server cannot create a collection
 * itself.
 */
export async function ensureLogIndexes ({ heads, rows, members }: LogCollections): Promise<void> {
  await heads.createIndexes([...logIndexes.heads], noDeadline)
  await rows.createIndexes([...logIndexes.rows], noDeadline)
  await members.createIndexes([...logIndexes.members], noDeadline)
}
