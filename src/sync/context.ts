import type { ChatContext } from '../chat/context.ts'
import type { UnreadCounter } from '../chat/directories/unread-counter.ts'
import type { UserConversationDirectory } from './user-conversations.ts'
import type { LongPolls } from './waiters.ts'

/** What the responses of this process held so far. */
interface SyncCounts {
  responses: number
  changes: number
  /** Conversations whose cursor could not be resumed, or that a client began with. */
  resets: number
  /** Bytes of the changes, as JSON. */
  bytes: number
}

/** Services of the sync over all conversations. The plugin `sync` creates them once. */
export interface SyncContext {
  chat: ChatContext
  conversations: UserConversationDirectory
  unread: UnreadCounter
  longPolls: LongPolls
  /** Recent average size of a change, in bytes. */
  averageBytes: { change: number }
  counts: SyncCounts
  /** Milliseconds after which a long poll checks the heads itself: a remote commit may not wake it. */
  pollMs: number
}
