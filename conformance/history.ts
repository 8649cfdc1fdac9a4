import type { Observation } from './scenes/sheet.ts'

/** What the kit did and saw, as plain values: the attacks write it, the checks read it. Times are the kit's own clock, in milliseconds. */

/** A message as it comes over the wire; only what is judged. */
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

/** How something that was asked for ended. `unknown`: no answer came, so it may have happened or not. */
export type Ending =
  | { kind: 'stored', at: number, messageId: string, seq: number, rev: number, duplicate: boolean }
  | { kind: 'refused', at: number, code: string }
  | { kind: 'unknown', at: number }

/** One try to send a message. */
export interface Attempt {
  senderId: string
  conversationId: string
  clientMessageId: string
  content: string
  via: Via
  /** The connection of a socket; '' for others. */
  connection: string
  /** Its place among what was sent over that connection. */
  place: number
  startedAt: number
  /** First try of this message, over a healthy connection. */
  first: boolean
  ending: Ending
}

/** An edit or a delete; nothing else was asked of the message while it was under way. */
export interface Change {
  messageId: string
  conversationId: string
  userId: string
  type: 'edit' | 'delete'
  content: string
  startedAt: number
  ending: { kind: 'done', at: number, rev: number } | { kind: 'refused', at: number, code: string } | { kind: 'unknown', at: number }
}

/** A read position that was asked for. */
export interface Read {
  conversationId: string
  userId: string
  seq: number
  /** The connection that asked; '' over REST. It is told by its acknowledgement alone. */
  connection: string
  startedAt: number
  /** When it was acknowledged; Infinity: it was not, and may stand or not. */
  doneAt: number
}

/** Somebody was shown a message, in an answer, live or by sync. */
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
  /** 0: it carries none. */
  rev: number
  seq: number
  messageId: string
  userId: string
}

/** One connection of a device, and what came over it. */
export interface Connection {
  id: string
  device: string
  userId: string
  /** From here on, everything of these conversations has to arrive. */
  since: Map<string, number>
  /** The server joined all conversations of the user itself (`setupUser {live: true}`). */
  live: boolean
  openedAt: number
  closedAt: number
  /** It was still open when the kit stopped looking. */
  released: boolean
  /** It told that it left events out; the connection proves nothing about holes after it. */
  resyncAt: number
  events: LiveEvent[]
}

/** All of a conversation, fetched afresh. */
export interface Snapshot {
  name: string
  conversationId: string
  userId: string
  startedAt: number
  /** Everything above this seq was asked for. */
  afterSeq: number
  messages: Message[]
}

/** One answer to a follower. */
interface Page {
  limit: number
  revs: number[]
  createdAt: string[]
  hasMore: boolean
  /** The client was told to drop what it holds. */
  reset: boolean
  /** What it is to send next is what it sent before. */
  sameCursor: boolean
}

/** A client that follows a conversation, and what it holds in the end. */
export interface Follower {
  name: string
  userId: string
  conversationId: string
  knows: 'time' | 'tombstones' | 'cursor' | 'sync'
  /** Its last answer said that there is no more, after everything was quiet. */
  finished: boolean
  /** Messages above this seq are its affair: from its first cursor on. */
  afterSeq: number
  held: Map<string, Message>
  pages: Page[]
  /** What no answer may be, in words. */
  problems: string[]
}

/** Something that must be refused, or must look like something else. */
export interface Probe {
  what: string
  /** `hidden`: as if it did not exist; `refused`: any failure that is not the server's; `allowed` is a probe of the probe. */
  expected: 'hidden' | 'refused' | 'allowed'
  status: number
  code: string
  /** What the same call answers where there is nothing at all. */
  ofNothing?: { status: number, code: string }
}

/** Someone was taken out of a conversation: nothing of it may reach them above this rev. */
export interface Removal {
  userId: string
  conversationId: string
  rev: number
  /** They were let in again at this rev. */
  untilRev: number
}

/** Something other than a message was set, or found. */
export interface Setting {
  key: string
  /** `unknown`: no answer came, so it may have been set or not. */
  kind: 'set' | 'unknown' | 'found'
  value: string
}

/** How many unread messages somebody is told of, when all is quiet. */
export interface Count {
  userId: string
  conversationId: string
  /** The own read position that is told with it. */
  readSeq: number
  unreadCount: number
  startedAt: number
}

/** An answer that no server may give. */
export interface Fault {
  at: number
  what: string
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
  /** What was told that nobody may know, in words. */
  readonly leaks: string[] = []
  /** What the scenes saw, and what they could not look at. */
  readonly observations: Observation[] = []
  readonly unexercised: Array<Pick<Observation, 'under'> & { reason: string }> = []
  /** Features that the deployment does not have, by name. */
  readonly absent = new Set<string>()
  /** Who may see a conversation; conversations that are not named are open to all. */
  readonly members = new Map<string, Set<string>>()
  kills = 0

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
