import type { Attachment, PreparedFile } from './file-values.ts'

/** What the public API shows and takes. Times are milliseconds since 1970. */

export type * from './file-values.ts'

/** State that can be read now and followed; fits the store contract of Svelte, and signals and hooks in a few lines. */
export interface Readable<T> {
  get: () => T
  /** Calls `fn` at once and after every change. Returns what ends it. */
  subscribe: (fn: (value: T) => void) => () => void
}

/** Every code that a failure has: the server's, and six of this package. */
export type ErrorCode =
  | 'VALIDATION' | 'BAD_CURSOR' | 'NO_TOKEN' | 'INVALID_TOKEN' | 'UNKNOWN_USER' | 'INVALID_CREDENTIALS' | 'INVALID_REFRESH_TOKEN'
  | 'NOT_ALLOWED' | 'READ_ONLY' | 'SLOW_MODE' | 'NOT_FOUND' | 'USER_NOT_FOUND' | 'USERNAME_TAKEN' | 'EMAIL_TAKEN'
  | 'IDEMPOTENCY_MISMATCH' | 'CONFLICT' | 'PREVIOUS_FAILED' | 'TOO_LARGE' | 'QUOTA_EXCEEDED' | 'STORAGE_FULL'
  | 'UNSUPPORTED_MEDIA_TYPE' | 'LOCKED' | 'RATE_LIMITED' | 'INTERNAL' | 'OVERLOADED' | 'UNAVAILABLE'
  | 'OFFLINE' | 'TIMEOUT' | 'ABORTED' | 'STORAGE' | 'NO_SESSION' | 'BAD_ANSWER'

/** Why something failed. */
export interface Failure {
  /** For programs. A newer server may send one that is not in the list. */
  code: ErrorCode | (string & {})
  /** For people, in English. */
  message: string
  /** The HTTP status; 0 if there was no answer. */
  status: number
  /** The same may succeed later. */
  retryable: boolean
  retryAfterMs?: number | undefined
  /** With `CONFLICT`: the message as it is stored. */
  current?: Message | undefined
}

/** Every read takes it; an aborted one rejects with `ABORTED`. */
export interface CallOptions { signal?: AbortSignal | undefined }

export interface Page<T> {
  items: T[]
  /** Pass it to get the next page; undefined at the end. */
  cursor?: string | undefined
}

export interface PageOptions extends CallOptions {
  limit?: number | undefined
  cursor?: string | undefined
}

/** The public part of a user. */
export interface User {
  id: string
  fullName: string
  username: string
  /** The address of a picture, or a path on the server. */
  picture: string | null
}

/** What you see of your own account. */
export interface OwnUser extends User {
  email?: string | null
  isAdmin?: boolean
}

export interface Session {
  /** `expired`: the tokens are refused; what is stored stays, and `login` continues with it. */
  state: 'signedOut' | 'signedIn' | 'expired'
  user?: OwnUser | undefined
}

export interface Connection {
  /** `live` by a socket, `polling` by long polls; `offline` waits for `retryAt`, or for `start()`. */
  state: 'offline' | 'connecting' | 'syncing' | 'live' | 'polling'
  /** This tab talks to the server; others follow it. */
  leads: boolean
  /** When the next try comes. */
  retryAt?: number | undefined
  /** Why the last try failed. */
  error?: Failure | undefined
}

export type ConversationKind = 'direct' | 'room' | 'common'
export type Role = 'owner' | 'moderator' | 'member'
export type MessageType = 'text' | 'image' | 'file' | 'audio' | 'video' | 'location' | 'system'
export type MessageStatus = 'queued' | 'sending' | 'sent' | 'failed'

export interface Reaction {
  emoji: string
  /** Everybody who reacted so, you included. */
  count: number
  /** The first 50. */
  userIds: readonly string[]
  /** You reacted so. */
  mine: boolean
}

/** Whom a message names. */
export interface Mentions {
  userIds: readonly string[]
  /** Everybody in the conversation. */
  all?: boolean | undefined
}

/** What a system message tells of; the ids are of users. */
export interface SystemEvent {
  /** A newer server may send one that is not in the list. */
  event: 'created' | 'joined' | 'left' | 'added' | 'removed' | 'role' | 'renamed' | 'pinned' | (string & {})
  /** Whom it is about. */
  userId?: string | undefined
  /** Who did it. */
  by?: string | undefined
  /** With `role`: the new one. */
  role?: Role | undefined
  /** With `renamed`: the new name. */
  name?: string | undefined
  /** With `pinned`: the message. */
  messageId?: string | undefined
}

export interface ReplyTarget {
  id: string
  seq?: number | undefined
  senderId?: string | undefined
}

/** A message as it is shown: the server's row with the changes of your outbox. The same object while nothing changes. */
export interface Message {
  /** Stays the same from `send` on, over the server's answer and reloads: the key for a list. */
  key: string
  /** The server's id; undefined until it is sent. */
  id?: string | undefined
  /** Place by creation in the conversation; undefined until it is sent. */
  seq?: number | undefined
  /** Place of the last change; 0 until it is sent. */
  rev: number
  conversationId: string
  /** Chosen by the sender's client. */
  clientMessageId?: string | undefined
  senderId: string
  /** You wrote it. */
  isOwn: boolean
  text: string
  type: MessageType
  createdAt: number
  editedAt?: number | undefined
  /** A tombstone: the content is gone. */
  isDeleted: boolean
  replyTo?: ReplyTarget | undefined
  reactions: readonly Reaction[]
  attachments: readonly Attachment[]
  /** The sender passes on what somebody wrote before. */
  forwarded?: true | undefined
  /** Of a system message: the event that it tells of, for a text in another language. */
  system?: SystemEvent | undefined
  mentions: Mentions
  /** You are named. */
  mentionsMe: boolean
  /** Of your own messages: the others who have read it. */
  readBy: readonly string[]
  /** Of the message, or of your newest change of it. */
  status: MessageStatus
  /** With `failed`: why. `retry` or `cancel` it. */
  error?: Failure | undefined
}

/** Your own settings of a conversation, on all your devices. */
export interface ConversationSettings {
  /** Until when it is silent; null: it is not. */
  mutedUntil: number | null
  notify: 'all' | 'mentions' | 'none'
  archived: boolean
  /** When you pinned it; null: you did not. */
  pinnedAt: number | null
  /** Shown as unread until it is read. */
  markedUnread: boolean
  /** You cleared the history up to here. */
  clearedSeq: number
  /** Messages that you deleted for yourself. */
  hiddenSeqs: readonly number[]
}

export interface SettingsInput {
  mutedUntil?: number | null
  notify?: 'all' | 'mentions' | 'none'
  archived?: boolean
  pinned?: boolean
  markedUnread?: boolean
}

/** A conversation in the list. */
export interface Summary {
  id: string
  kind: ConversationKind
  /** A room's name, the other's full name. */
  title: string
  /** Direct: the other user. */
  userId?: string | undefined
  roomId?: string | undefined
  /** Yours, in a room; undefined: you are no member. */
  role?: Role | undefined
  isPrivate?: boolean | undefined
  /** What a room is about, in a line. */
  topic?: string | undefined
  /** More about a room. */
  description?: string | undefined
  /** The address of a room's picture, or a path on the server. */
  picture?: string | undefined
  /** Of a room: who may send messages. Undefined: every member. */
  postRole?: 'member' | 'moderator' | undefined
  /** Of a room: seconds that a plain member waits between two messages. */
  slowModeS?: number | undefined
  lastMessage?: Message | undefined
  /** When something was said last. */
  lastActivityAt: number
  /** Messages of others behind your read position, at most 1,000. */
  unreadCount: number
  mentionCount: number
  /** Your read position. */
  readSeq: number
  /** What you have begun to write. */
  draft?: string | undefined
  settings: ConversationSettings
}

export interface Member {
  userId: string
  /** Undefined in a direct conversation. */
  role?: Role | undefined
  joinedAt?: number | undefined
}

/** How far somebody has read. */
export interface ReadPosition {
  userId: string
  seq: number
  at: number
}

export interface Presence {
  userId: string
  status: 'online' | 'offline'
  lastActiveAt: number | null
}

export interface Room {
  id: string
  conversationId: string
  name: string
  isPrivate: boolean
  /** Whether members see all messages or those since they joined. */
  history: 'all' | 'joined'
  topic: string | null
  description: string | null
  /** The address of a picture, or a path on the server. */
  picture: string | null
  /** Who may send messages: every member, or the owner and moderators alone. */
  postRole: 'member' | 'moderator'
  /** Seconds that a plain member waits between two messages; 0: they do not wait. */
  slowModeS: number
  /** The server announces who joins or leaves, and when roles, the name or pins change. */
  systemMessages: boolean
  memberCount: number
  /** Yours; undefined: you are no member. */
  role?: Role | undefined
  createdAt: number
}

export interface RoomInput {
  name: string
  isPrivate?: boolean
  history?: 'all' | 'joined'
  /** In one line; null: nothing is said. */
  topic?: string | null
  description?: string | null
  picture?: string | null
  postRole?: 'member' | 'moderator'
  slowModeS?: number
  systemMessages?: boolean
}

export interface RegisterInput {
  fullName: string
  username: string
  email: string
  password: string
  profilePicture?: string | null
}

/** One of `email` and `username`. */
export interface LoginInput {
  email?: string
  username?: string
  password: string
}

export interface ProfileInput {
  fullName?: string
  username?: string
  profilePicture?: string | null
}

export interface SendOptions {
  replyTo?: Message | { id: string } | undefined
  mentions?: Mentions | undefined
  /** Files that the server has: those of another message, or of `files.upload`. */
  attachments?: readonly Attachment[] | undefined
  /**
   * Files of this device. They are stored with the message and uploaded before it is sent, also after a reload. With
   * `attachments`, ten at most.
   */
  files?: ReadonlyArray<Blob | PreparedFile> | undefined
  type?: Exclude<MessageType, 'system'> | undefined
  /** It passes on what somebody wrote before. */
  forwarded?: boolean | undefined
  /** Yours to choose if the same send may be repeated after a crash; a repeated one is one message. */
  clientMessageId?: string | undefined
}

/** Something that waits for the server. */
export interface Operation {
  /** Its place in the outbox. */
  position: number
  type: 'send' | 'edit' | 'delete' | 'react' | 'pin' | 'markRead' | 'settings'
  conversationId: string
  /** Of the message that it is about. */
  messageKey?: string | undefined
  state: 'queued' | 'sending' | 'failed'
  /** Not tried again before. */
  notBefore?: number | undefined
  attempts: number
  error?: Failure | undefined
  createdAt: number
}
