import type {
  Attachment, ConversationKind, ConversationSettings, Failure, Mentions, MessageType, ReplyTarget, Role, SystemEvent
} from '../values.ts'

/** What is held of the server's state: plain values, stored as they are. */

/** A message as the server stores it, at its last change. */
export interface Row {
  conversationId: string
  id: string
  seq: number
  rev: number
  senderId: string
  clientMessageId?: string | undefined
  text: string
  type: MessageType
  createdAt: number
  editedAt?: number | undefined
  isDeleted: boolean
  replyTo?: ReplyTarget | undefined
  reactions: ReadonlyArray<{ emoji: string, count: number, userIds: readonly string[] }>
  mentions?: Mentions | undefined
  attachments?: readonly Attachment[] | undefined
  system?: SystemEvent | undefined
  forwarded?: true | undefined
}

/** Seqs from the first to the second, both included. */
export type Range = readonly [from: number, to: number]

export interface ConversationRecord {
  id: string
  kind: ConversationKind
  /** Everything up to here was synced; never looked into. */
  cursor: string
  /** Everything up to here is stored, by syncs and live. */
  rev: number
  /** The highest seq among what is known to be whole. */
  top: number
  /** The highest seq among what was received. */
  seen: number
  /** A newest page has come and what goes with it is still coming: no range is whole yet. */
  isFresh: boolean
  /** Where that newest page begins. */
  openFrom?: number | undefined
  /** Where messages are held without holes: ascending, apart. */
  ranges: readonly Range[]
  /** Messages up to here are gone, for all or for you. */
  purgedSeq: number
  /** The cursor of its last reset: a page of history that was asked for before is not of this log any more. */
  generation: string
  name?: string | undefined
  isPrivate?: boolean | undefined
  history?: 'all' | 'joined' | undefined
  topic?: string | undefined
  description?: string | undefined
  picture?: string | undefined
  postRole?: 'member' | 'moderator' | undefined
  slowModeS?: number | undefined
  /** Ids of the pinned messages, in the order in which they were pinned; undefined: none ever was. */
  pins?: readonly string[] | undefined
  /** Of these, those that somebody has looked at here: they are shown offline too, however old they are. */
  pinned?: readonly Row[] | undefined
  /** Of the members whose role changed since the first cursor; null: they left. */
  roles: Readonly<Record<string, Role | null>>
  /** How far the others have read. */
  reads: Readonly<Record<string, { seq: number, at: number }>>
  /** Others' messages behind the server's read position. */
  unreadCount: number
  mentionCount: number
  /** Marked as read here; the server may not know it yet. */
  localReadSeq: number
  last?: Row | undefined
  activityAt: number
}

/** Your own log. */
export interface SelfRecord {
  cursor: string
  rev: number
  roles: Readonly<Record<string, Role>>
  readSeqs: Readonly<Record<string, number>>
  settings: Readonly<Record<string, ConversationSettings>>
  blocked: readonly string[]
}

export interface State {
  self: SelfRecord
  conversations: ReadonlyMap<string, ConversationRecord>
}

export interface Person {
  id: string
  fullName: string
  username: string
  picture: string | null
}

/** Something that waits for the server. The outbox is these in the order of their positions. */
export interface StoredOperation {
  position: number
  /** Counts the changes of this record: who changes it says which one they saw. */
  version: number
  opId: string
  conversationId: string
  state: 'queued' | 'sending' | 'failed'
  /** How often it was sent: after the first time the server may have it. */
  attempts: number
  notBefore?: number | undefined
  error?: Failure | undefined
  createdAt: number
  work: Work
}

/** A message: by its id, or one of your own by the id that this client gave it. */
export interface Target {
  messageId?: string | undefined
  clientMessageId?: string | undefined
}

/** A file that waits for its upload. Its bytes are stored under its key, until its message is sent or given up. */
export interface PendingFile extends Omit<Attachment, 'id'> {
  key: string
  /** Of the upload, if it was begun. */
  fileId?: string | undefined
  /** The server has all of it. */
  isUploaded?: boolean | undefined
}

export type Work =
  | {
    type: 'send',
    clientMessageId: string,
    text: string,
    messageType?: MessageType | undefined,
    replyTo?: ReplyTarget | undefined
    mentions?: Mentions | undefined,
    attachments?: readonly Attachment[] | undefined
    files?: readonly PendingFile[] | undefined
    forwarded?: true | undefined
  }
  | {
    type: 'edit',
    target: Target,
    text: string,
    expectedRev?: number | undefined,
    mentions?: Mentions | undefined
    /** The message that was edited, if the server had it. */
    base?: { rev: number, text: string } | undefined
  }
  | { type: 'delete', target: Target }
  | { type: 'react', target: Target, emoji: string, on: boolean }
  | { type: 'pin', target: Target, on: boolean }
  | { type: 'markRead', seq: number }
  | { type: 'settings', settings: SettingsWork }

export interface SettingsWork {
  mutedUntil?: number | null | undefined
  notify?: 'all' | 'mentions' | 'none' | undefined
  archived?: boolean | undefined
  pinned?: boolean | undefined
  markedUnread?: boolean | undefined
  clearThroughSeq?: number | undefined
  hideSeqs?: readonly number[] | undefined
}

export const emptySelf: SelfRecord = { cursor: '', rev: 0, roles: {}, readSeqs: {}, settings: {}, blocked: [] }

export const emptyState: State = { self: emptySelf, conversations: new Map() }

export function emptyConversation (id: string, kind: ConversationKind): ConversationRecord {
  return {
    id,
    kind,
    cursor: '',
    rev: 0,
    top: 0,
    seen: 0,
    isFresh: true,
    ranges: [],
    purgedSeq: 0,
    generation: '',
    roles: {},
    reads: {},
    unreadCount: 0,
    mentionCount: 0,
    localReadSeq: 0,
    activityAt: 0
  }
}

export const noSettings: ConversationSettings = {
  mutedUntil: null, notify: 'all', archived: false, pinnedAt: null, markedUnread: false, clearedSeq: 0, hiddenSeqs: []
}

export function kindOf (conversationId: string): ConversationKind {
  return conversationId.startsWith('dm_') ? 'direct' : conversationId.startsWith('room_') ? 'room' : 'common'
}

/** The other user of a direct conversation. */
export function otherUserOf (conversationId: string, userId: string): string | undefined {
  if (!conversationId.startsWith('dm_')) return undefined
  const [, one, other] = conversationId.split('_')
  return one === userId ? other : one
}

export const commonId = 'common_chat'

export function directId (one: string, other: string): string {
  return one < other ? `dm_${one}_${other}` : `dm_${other}_${one}`
}

/** How far you have read, here or elsewhere. */
export function readSeqOf ({ self, conversations }: State, id: string): number {
  return Math.max(self.readSeqs[id] ?? 0, conversations.get(id)?.localReadSeq ?? 0)
}

/** Is it one of those that are unread until they are read? */
export function counts ({ isDeleted, type }: Row): boolean {
  return !isDeleted && type !== 'system'
}

/** What is stored together. Removals come before what is put. */
export interface Batch {
  /** Refused unless this is the stored term. */
  term?: number | undefined
  /** Conversations that go with all that is held of them, drafts and outbox excepted. */
  drop?: string[]
  /** Conversations whose messages go. */
  dropRows?: string[]
  /** Messages up to this seq go. */
  purge?: Array<[conversationId: string, throughSeq: number]>
  /** Messages that go one by one. */
  hide?: Array<[conversationId: string, seqs: readonly number[]]>
  /** Each is stored if its rev is above the stored one's. */
  rows?: Row[]
  conversations?: ConversationRecord[]
  self?: SelfRecord
  users?: Person[]
  /** Operations to add; `position` is given by the storage. */
  add?: StoredOperation[]
  /** Operations to replace: refused unless the stored version is one below. */
  put?: StoredOperation[]
  /** Operations to remove. One of another version is `Stale`; one that is gone is not. */
  settle?: StoredOperation[]
  /** Bytes of the files of `add`, by their keys. */
  files?: Array<[key: string, bytes: Blob]>
  /** Keys of files whose bytes go. */
  dropFiles?: string[]
  /** Without a text: removed. */
  drafts?: Array<[conversationId: string, text: string]>
}
