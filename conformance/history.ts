import type { Observation } from './scenes/sheet.ts'

/**
 * What the kit did and received, as plain values: the attacks write it, the checks read it. Times are milliseconds of
 * the kit's clock.
 */

/** A message from the server; only the fields that the checks use. */
export interface Message {
  _id: string
  conversationId: string
  seq: number
  rev: number
  message: string
  clientMessageId: string | null
  isDeleted: boolean
  createdAt?: string
  updatedAt?: string
  senderId?: { _id: string }
  user?: { _id: string }
  reactions?: Array<{ emoji: string, userIds: string[] }>
}

export const senderOf = (message: Message): string => message.senderId?._id ?? message.user?._id ?? ''

export type Via = 'socket' | 'rest' | 'push'

/** How a request ended. `unknown`: no answer came, so it may have happened or not. */
export type Ending =
  | { kind: 'stored', at: number, messageId: string, seq: number, rev: number, duplicate: boolean }
  | { kind: 'refused', at: number, code: string }
  | { kind: 'unknown', at: number }

/** One attempt to send a message. */
export interface Attempt {
  senderId: string
  conversationId: string
  clientMessageId: string
  content: string
  via: Via
  /** The connection of a socket. Empty for other transports. */
  connection: string
  /** Its number among the events sent over that connection. */
  place: number
  startedAt: number
  /** The first attempt for this message, over a healthy connection. */
  first: boolean
  ending: Ending
}

/** An edit or a delete. No other change of the message was running at the same time. */
export interface Change {
  messageId: string
  conversationId: string
  userId: string
  type: 'edit' | 'delete'
  content: string
  startedAt: number
  ending: { kind: 'done', at: number, rev: number } | { kind: 'refused', at: number, code: string } | { kind: 'unknown', at: number }
}

/** A request to move a read position. */
export interface Read {
  conversationId: string
  userId: string
  seq: number
  /** The connection that requested it; empty over REST. It gets the acknowledgement instead of an event. */
  connection: string
  startedAt: number
  /** When it was acknowledged. Infinity: never, so its outcome is unknown. */
  doneAt: number
}

/** A user was shown a message, in an answer, live or by sync. */
export interface Seen {
  at: number
  /** "acknowledged over socket", "delivered live", "in a sync answer" */
  how: string
  messageId: string
  conversationId: string
  clientMessageId: string | null
  senderId: string
  seq: number
  rev: number
  updatedAt?: string
}

export interface LiveEvent {
  at: number
  name: string
  conversationId: string
  /** 0: the message has none. */
  rev: number
  seq: number
  messageId: string
  userId: string
}

/** One connection of a device, and the events that it received. */
export interface Connection {
  id: string
  device: string
  userId: string
  /** By conversation, the time from which everything must arrive. */
  since: Map<string, number>
  /** The server subscribed it to all conversations of the user (`setupUser {live: true}`). */
  live: boolean
  openedAt: number
  closedAt: number
  /** It was still open when the kit stopped watching. */
  released: boolean
  /** When a `resync` said that events were dropped. Gaps after it are no finding. */
  resyncAt: number
  events: LiveEvent[]
}

/** A fresh fetch of a conversation. */
export interface Snapshot {
  name: string
  conversationId: string
  userId: string
  startedAt: number
  /** The fetch asked for everything above this seq. */
  afterSeq: number
  messages: Message[]
}

/** One response to a follower. */
interface Page {
  limit: number
  revs: number[]
  createdAt: string[]
  hasMore: boolean
  /** The response told the client to drop what it holds. */
  reset: boolean
  /** The cursor for the next call is the one that the client has just sent. */
  sameCursor: boolean
}

/** A client that follows a conversation, and what it holds in the end. */
export interface Follower {
  name: string
  userId: string
  conversationId: string
  knows: 'time' | 'tombstones' | 'cursor' | 'sync'
  /** After all writing, its last response said that there is no more. */
  finished: boolean
  /** It must hold every message above this seq: those after its first cursor. */
  afterSeq: number
  held: Map<string, Message>
  pages: Page[]
  /** Invalid responses, in words. */
  problems: string[]
}

/** A request that must be refused, or must be answered like another one. */
export interface Probe {
  what: string
  /**
   * `hidden`: as if it did not exist. `refused`: any failure except a server error. `allowed`: tests the probe itself.
   */
  expected: 'hidden' | 'refused' | 'allowed'
  status: number
  code: string
  /** The answer to the same call for a missing object. */
  ofNothing?: { status: number, code: string }
}

/** A user was removed from a conversation: nothing of it above this rev may reach them. */
export interface Removal {
  userId: string
  conversationId: string
  rev: number
  /** They were added again at this rev. */
  untilRev: number
}

/** A value other than a message was set, or found. */
export interface Setting {
  key: string
  /** `unknown`: no answer came, so it may have been set or not. */
  kind: 'set' | 'unknown' | 'found'
  value: string
}

/** A user's unread count after all writing. */
export interface Count {
  userId: string
  conversationId: string
  /** The user's read position in the same response. */
  readSeq: number
  unreadCount: number
  startedAt: number
}

/** A response that no server may give. */
export interface Fault {
  at: number
  what: string
}

/** A long poll that was answered. */
export interface Poll {
  waitMs: number
  startedAt: number
  doneAt: number
}

export class History {
  readonly attempts: Attempt[] = []
  readonly changes: Change[] = []
  readonly reads: Read[] = []
  readonly seen: Seen[] = []
  connections: Connection[] = []
  readonly snapshots: Snapshot[] = []
  followers: Follower[] = []
  readonly probes: Probe[] = []
  readonly removals: Removal[] = []
  readonly settings: Setting[] = []
  readonly counts: Count[] = []
  readonly faults: Fault[] = []
  readonly polls: Poll[] = []
  /** Calls that wait for nothing and were slow. */
  readonly slowCalls: Array<{ from: number, to: number }> = []
  /** Secrets in responses, in words. */
  readonly leaks: string[] = []
  /** The scenes' observations, and what they could not check. */
  readonly observations: Observation[] = []
  readonly unexercised: Array<Pick<Observation, 'under'> & { reason: string }> = []
  /** Names of features that the deployment does not have. */
  readonly absent = new Set<string>()
  /** The users who may see a conversation. A conversation without an entry is open to all. */
  readonly members = new Map<string, Set<string>>()
  kills = 0
  /** When nodes could not hear each other: a client may then learn of a change by `heads` and a sync instead. */
  readonly unlinked: Array<{ from: number, to: number }> = []

  see (how: string, message: Message, at: number): void {
    this.seen.push({
      at,
      how,
      messageId: message._id,
      conversationId: message.conversationId,
      clientMessageId: message.clientMessageId,
      senderId: senderOf(message),
      seq: message.seq,
      rev: message.rev,
      ...(message.updatedAt === undefined ? {} : { updatedAt: message.updatedAt })
    })
  }
}
