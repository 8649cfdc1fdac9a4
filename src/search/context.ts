import type { ChatContext } from '../chat/context.ts'
import type { Follower } from '../log/follower.ts'
import type { SearchBounds } from './candidates.ts'
import type { Chunks } from './chunks.ts'
import type { Directories } from './directories.ts'
import type { Turns } from './turns.ts'

/** What searches work on. The plugin `search` makes it once. */
export interface SearchContext {
  chat: ChatContext
  directories: Directories
  chunks: Chunks
  /** Keeps the index; undefined: there is none, and each search looks through the messages. */
  follower: Follower | undefined
  turns: Turns
  bounds: SearchBounds & {
    /** Messages without terms, and messages whose text is compared, that one call reads. */
    rowsMax: number
    /** Characters of texts that one call compares; 0: unlimited. */
    charsMax: number
  }
  /** Counts a search against the user's limit; throws RATE_LIMITED. */
  countSearch: (userId: string) => void
}
