import type { Role, SystemEvent } from '../values.ts'

/** What this package reads of the wire; `test/wire.test.ts` holds it against the server's schemas. */

export interface WireUser { _id: string, fullName: string, username: string, profilePicture: string | null }
export interface WireOwnUser extends WireUser { email: string | null, isAdmin: boolean }

interface WireMessageFields {
  _id: string
  message: string
  messageType: string
  conversationId: string
  seq: number
  rev: number
  clientMessageId: string | null
  /** Older servers name the message alone. */
  replyTo: string | { _id: string, seq?: number | undefined, senderId?: string | undefined } | null
  reactions: Array<{ emoji: string, count: number, userIds: string[] }>
  editedAt: string | null
  isDeleted: boolean
  mentions?: { userIds: string[], all?: boolean } | undefined
  attachments?: WireAttachment[] | undefined
  system?: SystemEvent | undefined
  forwarded?: true | undefined
}

export interface WireAttachment {
  _id: string
  name?: string
  type?: string
  size?: number
  width?: number
  height?: number
  durationMs?: number
  blurhash?: string
}

export interface WireDirect extends WireMessageFields { senderId: WireUser, receiverId: WireUser, createdAt: string }
export interface WireShared extends WireMessageFields { user: WireUser, timestamp: string }
export type WireMessage = WireDirect | WireShared

export interface WireSettings {
  mutedUntil?: string | null
  notify?: 'all' | 'mentions' | 'none'
  archived?: boolean
  pinnedAt?: string | null
  markedUnread?: boolean
  clearedSeq?: number
  hiddenSeqs?: number[]
}

export type WireChange =
  | { rev: number, kind: 'message', message: WireMessage }
  | { rev: number, kind: 'membership', conversationId?: string | undefined, userId: string, role: Role | null }
  | {
    rev: number,
    kind: 'meta',
    name?: string | undefined,
    isPrivate?: boolean | undefined,
    history?: 'all' | 'joined' | undefined
    deleted?: boolean | undefined
    topic?: string | null | undefined
    description?: string | null | undefined
    picture?: string | null | undefined
    postRole?: 'member' | 'moderator' | undefined
    slowModeS?: number | undefined
  }
  | { rev: number, kind: 'purge', throughSeq: number }
  | { rev: number, kind: 'pins', messageIds: string[] }
  | { rev: number, kind: 'read', conversationId: string, seq: number, at: string }
  | { rev: number, kind: 'block', userId: string, on: boolean }
  | { rev: number, kind: 'settings', conversationId: string } & WireSettings

export interface WireReads { userId: string, seq: number, at: string }

export interface WireConversation {
  conversationId: string
  kind: 'direct' | 'room' | 'common' | 'self'
  changes: WireChange[]
  cursor: string
  rev: number
  hasMore: boolean
  reset?: true | undefined
  /** With `reset`: from here on all is there. */
  fromSeq?: number | undefined
  unreadCount: number
  mentionCount?: number | undefined
  reads: WireReads[]
}

export interface WireAnswer { conversations: WireConversation[], hasMore: boolean, serverTime: string }

export interface WireHistory {
  messages: WireMessage[]
  /** Older servers: `hasMore`. */
  hasOlder?: boolean | undefined
  hasMore?: boolean | undefined
  fromSeq?: number | undefined
}

export interface WireResult {
  opId: string
  success: boolean
  message?: WireMessage | string | undefined
  code?: string | undefined
  retryable?: boolean | undefined
  retryAfterMs?: number | undefined
  current?: WireMessage | undefined
}
