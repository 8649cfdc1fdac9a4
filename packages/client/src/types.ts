import type { SocketTransport } from './network/transport.ts'
import type { Storage } from './storage/storage.ts'

/**
 * The public API. State is a `Readable`; what happens once is an event. Writes resolve as soon as they are stored on this
 * device and never reject for the network; reads reject with a `TidelogError`. Times are milliseconds since 1970.
 */

/** State that can be read now and followed; fits the store contract of Svelte, and signals and hooks in a few lines. */
export interface Readable<T> {
  get: () => T
  /** Calls `fn` at once and after every change. Returns what ends it. */
  subscribe: (fn: (value: T) => void) => () => void
}

/** Every code that a failure has: the server's, and six of this package. */
export type ErrorCode =
  | 'VALIDATION' | 'BAD_CURSOR' | 'NO_TOKEN' | 'INVALID_TOKEN' | 'UNKNOWN_USER' | 'INVALID_CREDENTIALS' | 'INVALID_REFRESH_TOKEN'
  | 'NOT_ALLOWED' | 'NOT_FOUND' | 'USER_NOT_FOUND' | 'USERNAME_TAKEN' | 'EMAIL_TAKEN' | 'IDEMPOTENCY_MISMATCH' | 'CONFLICT'
  | 'PREVIOUS_FAILED' | 'TOO_LARGE' | 'UNSUPPORTED_MEDIA_TYPE' | 'RATE_LIMITED' | 'INTERNAL' | 'OVERLOADED' | 'UNAVAILABLE'
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
  /** The address of a picture. */
  picture: string | null
}

/** What you see of your own account. */
export interface OwnUser extends User {
  email?: string | null
  isAdmin?: boolean
}

export interface Session {
  /** `expired`: the tokens are refused; what is stored stays, and `login` goes on with it. */
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

/** A file that a message carries; the first six are set by the server. */
export interface Attachment {
  id: string
  name?: string | undefined
  type?: string | undefined
  size?: number | undefined
  width?: number | undefined
  height?: number | undefined
  durationMs?: number | undefined
  blurhash?: string | undefined
}

export interface ReplyTarget {
  id: string
  seq?: number | undefined
  senderId?: string | undefined
}

/** A message as it is shown: the server's row and what your outbox makes of it. The same object while nothing changes. */
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
  memberCount: number
  /** Yours; undefined: you are no member. */
  role?: Role | undefined
  createdAt: number
}

export interface RoomInput {
  name: string
  isPrivate?: boolean
  history?: 'all' | 'joined'
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
  attachments?: ReadonlyArray<Attachment & { id: string }> | undefined
  type?: Exclude<MessageType, 'system'> | undefined
  /** Yours to choose if the same send may be repeated after a crash; a repeated one is one message. */
  clientMessageId?: string | undefined
}

/** Something that waits for the server. */
export interface Operation {
  /** Its place in the outbox. */
  position: number
  type: 'send' | 'edit' | 'delete' | 'react' | 'markRead' | 'settings'
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

/** One conversation. `client.conversation(id)` returns the same object each time. */
export interface Conversation {
  readonly id: string
  /** Undefined while nothing of it is known here. */
  readonly summary: Readable<Summary | undefined>
  /** Who is in it; read from the server when you subscribe first, then kept fresh. Empty for the common chat. */
  readonly members: Readable<readonly Member[]>
  /** How far the others have read. */
  readonly reads: Readable<readonly ReadPosition[]>
  /** Who is typing, you excepted. */
  readonly typing: Readable<readonly string[]>
  /** What you have begun to write; stored. */
  readonly draft: Readable<string> & { set: (text: string) => void }
  /** Opens a window on the messages. `unread` (the first unread one; the newest if there is none) is the default. */
  timeline: (options?: { at?: 'unread' | 'newest' | number, pageSize?: number }) => Timeline
  /** Resolves when the message is stored on this device; it is sent as soon as that is possible. Ends the draft. */
  send: (text: string, options?: SendOptions) => Promise<Message>
  /** With `expectedRev`, fails with `CONFLICT` if somebody changed it since. */
  edit: (message: Message, text: string, options?: { expectedRev?: number, mentions?: Mentions }) => Promise<void>
  /** Takes back what is not sent yet; leaves a tombstone of what is. */
  delete: (message: Message) => Promise<void>
  react: (message: Message, emoji: string, on: boolean) => Promise<void>
  /** Everything up to this message is read. Without one: everything. */
  markRead: (message?: Message) => Promise<void>
  /** Mute, archive, pin, mark as unread. */
  configure: (settings: SettingsInput) => Promise<void>
  /** Call it at every key press; it is throttled. Ends by a send, or by itself after some seconds. */
  setTyping: (on: boolean) => void
  /** Tries a failed message, or failed change of it, again. */
  retry: (message: Message) => Promise<void>
  /** Gives up a message that is queued or failed, or the failed change of it. */
  cancel: (message: Message) => Promise<void>
}

/** A window on a conversation, without holes. Close it when you leave. */
export interface Timeline {
  /** In ascending order; what waits in the outbox comes last. */
  readonly messages: Readable<readonly Message[]>
  readonly hasOlder: Readable<boolean>
  readonly hasNewer: Readable<boolean>
  /** A page is being fetched, or why it could not be. */
  readonly loading: Readable<{ older: boolean, newer: boolean, error?: Failure | undefined }>
  /** Resolves when the first page is there; offline with what is stored. */
  readonly ready: Promise<void>
  /** Your read position when you opened it: the line "New" goes behind this seq. Null: nothing was unread. */
  readonly unreadAfter: number | null
  /** Rejects with `OFFLINE` if the page is not stored and there is no connection. */
  loadOlder: (options?: CallOptions) => Promise<void>
  loadNewer: (options?: CallOptions) => Promise<void>
  /** Moves the window to a message, or to the newest ones. */
  jumpTo: (seq: number | 'newest' | 'unread', options?: CallOptions) => Promise<void>
  close: () => void
}

export interface Rooms {
  /** Public ones, and yours. */
  list: (options?: PageOptions & { search?: string, order?: 'active' | 'members' | 'name' }) => Promise<Page<Room>>
  get: (roomId: string, options?: CallOptions) => Promise<Room>
  create: (input: RoomInput, options?: CallOptions) => Promise<Room>
  update: (roomId: string, input: Partial<RoomInput>, options?: CallOptions) => Promise<Room>
  delete: (roomId: string, options?: CallOptions) => Promise<void>
  /** Resolves with its conversation when it is in the list. */
  join: (roomId: string, options?: CallOptions) => Promise<Conversation>
  leave: (roomId: string, options?: CallOptions) => Promise<void>
  members: (roomId: string, options?: PageOptions) => Promise<Page<Member & { user: User }>>
  /** Invites, changes a role; null removes. */
  setMember: (roomId: string, userId: string, role: Role | null, options?: CallOptions) => Promise<void>
  bans: (roomId: string, options?: PageOptions) => Promise<Page<User>>
  ban: (roomId: string, userId: string, on: boolean, options?: CallOptions) => Promise<void>
}

export interface Users {
  /** What is known of a user, fetched if it is nothing; stays fresh. */
  get: (id: string) => Readable<User | undefined>
  search: (text: string, options?: PageOptions) => Promise<Page<User>>
  updateMe: (input: ProfileInput, options?: CallOptions) => Promise<OwnUser>
  block: (id: string, on: boolean, options?: CallOptions) => Promise<void>
  /** The ids of those whom you have blocked. */
  readonly blocked: Readable<readonly string[]>
}

export interface AccountSession {
  id: string
  createdAt: number
  lastUsedAt: number
  /** The browser or program. */
  client: string
  /** This one. */
  current: boolean
}

export interface Account {
  me: (options?: CallOptions) => Promise<OwnUser>
  sessions: (options?: CallOptions) => Promise<AccountSession[]>
  endSession: (id: string, options?: CallOptions) => Promise<void>
  /** Ends your other sessions. */
  changePassword: (input: { password: string, newPassword: string }, options?: CallOptions) => Promise<void>
}

export interface SearchInput extends PageOptions {
  text: string
  conversationId?: string
}

/** What happens once. */
export interface Events {
  /** Somebody wrote something that is new: for sounds and notifications. Never at the first sync. */
  message: Message
  /** Something of the outbox failed for good. */
  failed: Operation
  /** A conversation is not yours any more: what was stored of it is gone. */
  removed: { conversationId: string }
  /** Something is wrong that nobody waits for: storage that fails, a callback that throws. */
  error: Failure
}

/** For a fault report; no content, no token. */
export interface Inspection {
  userId: string | undefined
  tab: { id: string, leads: boolean, term: number }
  connection: Connection
  transport: 'socket' | 'poll' | 'none'
  conversations: number
  outbox: { queued: number, sending: number, failed: number }
  counters: Record<string, number>
}

export interface Client {
  readonly session: Readable<Session>
  readonly connection: Readable<Connection>
  /** Pinned ones first, then by last activity; archived ones are among them. */
  readonly conversations: Readable<readonly Summary[]>
  /** Everything that waits or has failed, in order. */
  readonly outbox: Readable<readonly Operation[]>
  readonly rooms: Rooms
  readonly users: Users
  readonly account: Account
  register: (input: RegisterInput, options?: CallOptions) => Promise<OwnUser>
  /** If another user was signed in on this device, what was stored of them is not shown. */
  login: (input: LoginInput, options?: CallOptions) => Promise<OwnUser>
  /** Ends the session here and on the server, and wipes what is stored unless `keep`. `everywhere` ends all sessions. */
  logout: (options?: { keep?: boolean, everywhere?: boolean }) => Promise<void>
  /** Takes up the stored session, offline too. Null: there is none. */
  resume: () => Promise<OwnUser | null>
  /** Connects, and stays connected, until `stop`. Resolves at once. */
  start: () => Promise<void>
  /** Disconnects; what is stored stays shown. */
  stop: () => Promise<void>
  /** Syncs now. Resolves when all that the server held is here. */
  sync: (options?: CallOptions) => Promise<void>
  /** Ends the client for good and frees what it holds. */
  close: () => Promise<void>
  conversation: (id: string) => Conversation
  direct: (userId: string) => Conversation
  room: (roomId: string) => Conversation
  readonly common: Conversation
  /** Who of these is online, while it is followed. */
  presence: (userIds: readonly string[]) => Readable<ReadonlyMap<string, Presence>>
  search: (input: SearchInput) => Promise<Page<Message>>
  /** For bots: others' unread messages, then the live ones. One comes again until `markRead`, over restarts too. */
  inbox: (options?: CallOptions) => AsyncIterable<Message>
  on: <E extends keyof Events>(event: E, fn: (payload: Events[E]) => void) => () => void
  inspect: () => Inspection
}

/** Timers and time, so that tests can make both. */
export interface Clock {
  now: () => number
  /** Calls once after `ms`; returns what cancels it. */
  after: (ms: number, fn: () => void) => () => void
}

export interface ClientOptions {
  /** Of the server, without a path. Default: the page's origin. */
  url?: string | undefined
  /** For a host application that issues its own tokens. `stale`: the last one was refused. */
  auth?: { getToken: (stale?: boolean) => Promise<string> } | undefined
  /** Default: memory. */
  storage?: Storage | undefined
  /** Without one: long polls. */
  socket?: SocketTransport | undefined
  /** False: this tab talks to the server even if another one does. Default: true. */
  tabs?: boolean | undefined
  /** Messages that are stored at most when it starts; older ones of quiet conversations are dropped. Default: 100,000. */
  keep?: number | undefined
  fetch?: typeof globalThis.fetch | undefined
  clock?: Clock | undefined
  /** 0 ≤ x < 1. */
  random?: (() => number) | undefined
}

/* What a storage and a socket transport are made of; applications only pass them on. */
export type { Storage, SocketTransport }
