import type { ChatContext } from '../chat/context.ts'
import type { UnreadCounter } from '../chat/directories/unread-counter.ts'
import type { UserConversationDirectory } from './user-conversations.ts'
import type { LongPolls } from './waiters.ts'

/** Services of the sync over all conversations. The plugin `sync` creates them once. */
export interface SyncContext {
  chat: ChatContext
  conversations: UserConversationDirectory
  unread: UnreadCounter
  longPolls: LongPolls
  /** Recent average size of a change, in bytes. */
  averageBytes: { change: number }
  /** Milliseconds after which a long poll checks the heads itself: a remote commit may not wake it. */
  pollMs: number
}
