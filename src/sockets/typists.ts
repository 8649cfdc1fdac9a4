/** Milliseconds after which somebody who does not say it again types no longer. */
export const typingEndsMs = 8_000

export interface TypistOptions {
  /** Calls after so many milliseconds; returns the way not to. */
  later: (ms: number, act: () => void) => () => void
  /** Nobody with this user's id types there any more, and the others were told that they do. */
  onEnd: (typing: { conversationId: string, userId: string }) => void
}

interface Typist {
  stopTimer: () => void
  /** Tells the socket's own side that it ended without its saying so. */
  ended: () => void
}

/**
 * Who is typing where on the sockets of this process, so that it ends by itself: by a send, a disconnect, or when it is not
 * said again. Without it a lost connection would leave somebody typing for ever.
 */
export class Typists {
  private readonly options: TypistOptions
  /** By conversation and user: their sockets. */
  private readonly typing = new Map<string, Map<string, Typist>>()

  constructor (options: TypistOptions) {
    this.options = options
  }

  /** They type, or go on to. */
  began (conversationId: string, userId: string, socketId: string, ended: () => void): void {
    const key = keyOf(conversationId, userId)
    const sockets = this.typing.get(key) ?? new Map<string, Typist>()
    this.typing.set(key, sockets)
    sockets.get(socketId)?.stopTimer()
    sockets.set(socketId, { ended, stopTimer: this.options.later(typingEndsMs, () => { this.end(conversationId, userId, socketId) }) })
  }

  /** They have said that they stopped, which the others are told by whoever calls. */
  stopped (conversationId: string, userId: string, socketId: string): void {
    this.remove(conversationId, userId, socketId)
  }

  /** Nobody types. */
  get isEmpty (): boolean {
    return this.typing.size === 0
  }

  /** A message of theirs was stored there. */
  sent (conversationId: string, userId: string): void {
    for (const socketId of [...this.typing.get(keyOf(conversationId, userId))?.keys() ?? []]) this.end(conversationId, userId, socketId)
  }

  /** The socket is gone. */
  gone (userId: string, socketId: string, conversationIds: Iterable<string>): void {
    for (const conversationId of conversationIds) this.end(conversationId, userId, socketId)
  }

  close (): void {
    for (const sockets of this.typing.values()) for (const { stopTimer } of sockets.values()) stopTimer()
    this.typing.clear()
  }

  private end (conversationId: string, userId: string, socketId: string): void {
    this.typing.get(keyOf(conversationId, userId))?.get(socketId)?.ended()
    if (this.remove(conversationId, userId, socketId)) this.options.onEnd({ conversationId, userId })
  }

  /** Says whether it was the last socket on which this user types there. */
  private remove (conversationId: string, userId: string, socketId: string): boolean {
    const key = keyOf(conversationId, userId)
    const sockets = this.typing.get(key)
    const typist = sockets?.get(socketId)
    if (sockets === undefined || typist === undefined) return false
    typist.stopTimer()
    sockets.delete(socketId)
    if (sockets.size > 0) return false
    this.typing.delete(key)
    return true
  }
}

const keyOf = (conversationId: string, userId: string): string => `${conversationId}|${userId}`
