import type { ChatContext } from '../chat/context.ts'
import type { UnreadCounts } from '../chat/unread-counts.ts'
import type { PlaceDirectory } from './places.ts'
import type { Waiters } from './wait.ts'

/** What the sync over all conversations works on; made once by the plugin `sync`. */
export interface SyncContext {
  chat: ChatContext
  places: PlaceDirectory
  unread: UnreadCounts
  waiters: Waiters
  /** Bytes of a change in an answer, on average lately. */
  sizes: { change: number }
  /** Milliseconds after which a wait looks at the heads by itself: other nodes wake nobody here. */
  lookAgainMs: number
}
