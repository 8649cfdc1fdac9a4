import type { ConversationLog } from '../log/conversation-log.ts'
import type { Guard } from '../log/commit/mutation.ts'
import type { BlockDirectory } from './directories/block-directory.ts'
import type { ChatCollections } from './directories/collections.ts'
import type { DescriptionCache } from './directories/description-cache.ts'
import type { HiddenMessages } from './directories/hidden-messages.ts'
import type { MembershipDirectory } from './directories/membership-directory.ts'
import type { MentionCounts } from './directories/mention-counts.ts'
import type { SettingsDirectory } from './directories/settings-directory.ts'
import type { ListingDirectory } from './directories/listing-directory.ts'
import type { UnreadCounter } from './directories/unread-counter.ts'
import type { FilesContext } from '../files/context.ts'
import type { UserDirectory } from '../users/user-directory.ts'

/** The chat for one session: if `guard` throws, the commit is refused. */
export function guardedBy (context: ChatContext, guard: Guard): ChatContext {
  return { ...context, log: context.log.guardedBy(guard) }
}

/** The context of the chat's operations. The plugin `chat` makes it once; so do tests that need no server. */
export interface ChatContext {
  collections: ChatCollections
  log: ConversationLog
  users: UserDirectory
  blocks: BlockDirectory
  listings: ListingDirectory
  memberships: MembershipDirectory
  descriptions: DescriptionCache
  hidden: HiddenMessages
  unread: UnreadCounter
  mentions: MentionCounts
  settings: SettingsDirectory
  files: FilesContext
  limits: {
    messageCharsMax: number
    /** Milliseconds in which you can edit your own message. */
    editWindowMs: number
  }
  /** Milliseconds since 1970. */
  now: () => number
  /** Counts a send against the user's limit; throws RATE_LIMITED. */
  countSend: (userId: string) => void
  /** Counts an operation against the user's limit of requests; throws RATE_LIMITED. */
  countRequest: (userId: string) => void
  /** Counts an invitation by a stranger against the invited user's limit; throws RATE_LIMITED. */
  countInvitation: (userId: string) => void
  /** Takes back a count of `countInvitation`. */
  uncountInvitation: (userId: string) => void
}

/**
 * The three kinds of sending share two steps. A send is prepared, which may wait for reads, and then committed. To keep
 * an order among several sends, prepare them in turn and start each commit before you prepare the next.
 */

/** The second half of an operation: starts its commit at once when called. */
export type PreparedCommit<R> = () => Promise<R>

/** The operation as one call: prepared, and then committed. */
export function atOnce<A extends unknown[], R> (
  prepare: (...given: A) => Promise<PreparedCommit<R>> | PreparedCommit<R>
): (...given: A) => Promise<R> {
  return async (...given) => await (await prepare(...given))()
}
