import type { Files } from './file-types.ts'
import type { SocketTransport } from './network/transport.ts'
import type { Storage } from './storage/storage.ts'
import type {
  CallOptions, Connection, Failure, LoginInput, Member, Mentions, Message, Operation, OwnUser, Page,
  PageOptions, Presence, ProfileInput, ReadPosition, Readable, RegisterInput, Role, Room, RoomInput,
  SendOptions, Session, SettingsInput, Summary, User
} from './values.ts'

/**
 * The public API. State is a `Readable`; what happens once is an event. Writes resolve as soon as they are stored on this
 * device and never reject for the network; reads reject with a `TidelogError`. Times are milliseconds since 1970.
 */

export type * from './values.ts'
export type * from './file-types.ts'

/** One conversation. `client.conversation(id)` returns the same object each time. */
export interface Conversation {
  readonly id: string
  /** Undefined while nothing of it is known here. */
  readonly summary: Readable<Summary | undefined>
  /** Who is in it; read from the server when you subscribe first, then kept fresh. Empty for the common chat. */
  readonly members: Readable<readonly Member[]>
  /** How far the others have read. */
  readonly reads: Readable<readonly ReadPosition[]>
  /** The pinned messages that you may see, in the order in which they were pinned; followed while you subscribe. */
  readonly pins: Readable<readonly Message[]>
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
  /** Removes a message that is not sent yet; of a sent one a tombstone stays. */
  delete: (message: Message) => Promise<void>
  /**
   * Deletes messages for you alone, on all your devices, permanently: at most 500 in a conversation. Not in the common
   * chat.
   */
  hide: (messages: readonly Message[]) => Promise<void>
  /** Deletes the history up to now for you alone, on all your devices, permanently. Not in the common chat. */
  clear: () => Promise<void>
  react: (message: Message, emoji: string, on: boolean) => Promise<void>
  /** Pins a message for everybody in the conversation, or unpins it; the server decides who may. */
  pin: (message: Message, on: boolean) => Promise<void>
  /** Everything up to this message is read. Without one: everything. */
  markRead: (message?: Message) => Promise<void>
  /** Mute, archive, pin, mark as unread. */
  configure: (settings: SettingsInput) => Promise<void>
  /** Call it at every key press; it is throttled. Ends by a send, or by itself after some seconds. */
  setTyping: (on: boolean) => void
  /** Tries a failed message, a failed change of it, or a failed operation of `outbox` again. */
  retry: (failed: Message | Operation) => Promise<void>
  /** Gives up a message that is queued or failed, the failed change of it, or an operation of `outbox`. */
  cancel: (given: Message | Operation) => Promise<void>
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
  /** Uploads a room's picture; null removes it. */
  setPicture: (roomId: string, file: Blob | null, options?: CallOptions) => Promise<Room>
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
  /**
   * Uploads a picture of yours, and shows it to everybody; null removes it. Others get the bytes as they are: draw a
   * photograph anew, in a small size.
   */
  setAvatar: (file: Blob | null, options?: CallOptions) => Promise<OwnUser>
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
  /**
   * Deletes the account, with everything that you wrote, at the server and on this device. Rejects with
   * INVALID_CREDENTIALS for a wrong password, with NOT_ALLOWED for an administrator.
   */
  erase: (input: { password: string }, options?: CallOptions) => Promise<void>
}

export interface SearchInput extends PageOptions {
  /** All words, the last one as a beginning; words in quotes as they are written. May be empty with `has`. */
  text: string
  /** Only there; the common chat is searched only so. */
  conversationId?: string | undefined
  /** The sender's id. */
  from?: string | undefined
  has?: 'link' | 'image' | 'video' | 'audio' | 'file' | undefined
  /** Sent at or after this time. */
  after?: number | undefined
  /** Sent before this time. */
  before?: number | undefined
}

/** A running search: first what this device holds, then what the server finds. `signal` ends it. */
export interface Finding {
  /** The newest first. */
  readonly messages: Readable<readonly Message[]>
  /** With an error (as without a connection), only what is held here is found; `loadMore` tries again. */
  readonly state: Readable<{ loading: boolean, hasMore: boolean, error?: Failure | undefined }>
  loadMore: () => Promise<void>
  close: () => void
}

/** What happens once. */
export interface Events {
  /** Somebody wrote something that is new: for sounds and notifications. Never at the first sync. */
  message: Message
  /** An operation of the outbox failed permanently. */
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
  readonly files: Files
  readonly account: Account
  register: (input: RegisterInput, options?: CallOptions) => Promise<OwnUser>
  /** If another user was signed in on this device, what was stored of them is not shown. */
  login: (input: LoginInput, options?: CallOptions) => Promise<OwnUser>
  /** Ends the session here and on the server, and wipes what is stored unless `keep`. `everywhere` ends all sessions. */
  logout: (options?: { keep?: boolean, everywhere?: boolean }) => Promise<void>
  /** Resumes the stored session, offline too. Null: there is none. */
  resume: () => Promise<OwnUser | null>
  /** Connects, and stays connected, until `stop`. Resolves at once. */
  start: () => Promise<void>
  /** Disconnects; what is stored stays shown. */
  stop: () => Promise<void>
  /** Syncs now. Resolves when all that the server held is here. */
  sync: (options?: CallOptions) => Promise<void>
  /** Ends the client permanently and frees what it holds. */
  close: () => Promise<void>
  conversation: (id: string) => Conversation
  direct: (userId: string) => Conversation
  room: (roomId: string) => Conversation
  readonly common: Conversation
  /** Who of these is online, while it is followed. */
  presence: (userIds: readonly string[]) => Readable<ReadonlyMap<string, Presence>>
  /** A page of what the server finds. */
  search: (input: SearchInput) => Promise<Page<Message>>
  /** Searches what is held here, then the server. Resolves when the first is done. */
  find: (input: Omit<SearchInput, 'cursor'>) => Promise<Finding>
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
