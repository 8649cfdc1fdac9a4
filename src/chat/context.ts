import type { ConversationLog } from '../log/conversation-log.ts'
import type { Guard } from '../log/commit/mutation.ts'
import type { BlockDirectory } from './directories/block-directory.ts'
import type { ChatCollections } from './directories/collections.ts'
import type { MentionCounts } from './directories/mention-counts.ts'
import type { SettingsDirectory } from './directories/settings-directory.ts'
import type { ListingDirectory } from './directories/listing-directory.ts'
import type { UnreadCounter } from './directories/unread-counter.ts'
import type { UserDirectory } from '../users/user-directory.ts'

/** The chat for one session: what is still to be committed when `guard` throws is refused. */
export function guardedBy (context: ChatContext, guard: Guard): ChatContext {
  return { ...context, log: context.log.guardedBy(guard) }
}

/** What the chat's operations work on; made once by the plugin `chat`, and by tests that need no server. */
export interface ChatContext {
  collections: ChatCollections
  log: ConversationLog
  users: UserDirectory
  blocks: BlockDirectory
  listings: ListingDirectory
  unread: UnreadCounter
  mentions: MentionCounts
  settings: SettingsDirectory
  limits: {
    messageCharsMax: number
    /** Time in which an own message can be edited. */
    editWindowMs: number
    /** Characters that one search looks through; 0: any number. */
    searchCharsMax: number
  }
  /** Milliseconds since 1970. */
  now: () => number
  /** Counts a send against the user's limit; throws RATE_LIMITED. */
  countSend: (userId: string) => void
  /** Counts an operation against the user's limit of requests; throws RATE_LIMITED. */
  countRequest: (userId: string) => void
  /** Counts a search against the user's limit; throws RATE_LIMITED. */
  countSearch: (userId: string) => void
  /** Counts an invitation by a stranger against what the invited user takes; throws RATE_LIMITED. */
  countInvitation: (userId: string) => void
  /** Takes back a count of `countInvitation`. */
  uncountInvitation: (userId: string) => void
}

/**
 * What the three kinds of sending have in common. A send is prepared, which may wait for reads, and then committed:
 * who wants an order among several prepares them in turn and starts each commit before the next is prepared.
 */

/** The second half of an operation: starts its commit at once when called. */
export type PreparedCommit<R> = () => Promise<R>
