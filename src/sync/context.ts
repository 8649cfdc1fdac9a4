import type { ChatContext } from '../chat/context.ts'
import type { UnreadCounter } from '../chat/directories/unread-counter.ts'
import type { UserConversationDirectory } from './user-conversations.ts'
import type { LongPolls } from './waiters.ts'

/** What the sync over all conversations works on; made once by the plugin `sync`. */
export interface SyncContext {
  chat: ChatContext
  conversations: UserConversationDirectory
  unread: UnreadCounter
  longPolls: LongPolls
  /** Bytes of a change in an answer, on average lately. */
  averageBytes: { change: number }
  /** Milliseconds after which a wait looks at the heads by itself: other nodes wake nobody here. */
  pollMs: number
}
