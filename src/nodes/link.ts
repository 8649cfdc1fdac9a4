import type { Roster } from './roster.ts'

/**
 * Carries words between nodes: each at most once, in any order, and not at all while it is down. Nothing that a client
 * relies on may depend on it: what it loses is read from the database.
 */
export interface Link {
  /**
   * Opens the link and keeps it open: if it is lost, it is opened again. A failure is reported, never thrown.
   * @param place the prefix of all channels, which keeps databases apart, and the name of this node
   * @returns what the nodes know of each other's users
   */
  open: (place: { prefix: string, nodeId: string }, listener: LinkListener) => Roster
  /**
   * Sends a word to the nodes that subscribe to this channel.
   * @returns false: it is dropped, because the link is down or too much is under way
   */
  publish: (channel: string, word: Uint8Array) => boolean
  /** Resolves when words to these channels arrive. Rejects if the link was lost before. */
  subscribe: (channels: readonly string[]) => Promise<void>
  unsubscribe: (channels: readonly string[]) => void
  close: () => Promise<void>
}

export interface LinkListener {
  onWord: (word: Uint8Array) => void
  /** The link is open and has no subscriptions. */
  onOpen: () => void
  /** The link, or a try to open it, has failed. */
  onLost: (error: unknown) => void
  /** A word of this node to itself, which the link sends now and then, took so many seconds. */
  onLag: (seconds: number) => void
}
