/** Milliseconds after which typing ends if the client does not repeat it. */
export const typingEndsMs = 8_000

export interface TypistOptions {
  /** Calls `act` after `ms` milliseconds. The returned function cancels it. */
  later: (ms: number, act: () => void) => () => void
  /** Called when a user no longer types in a conversation, if the others were told that they do. */
  onEnd: (typing: { conversationId: string, userId: string }) => void
}

interface Typist {
  stopTimer: () => void
  /** Called if the typing ends without the socket's request. */
  ended: () => void
}

/**
 * Who is typing where on the sockets of this process. Typing ends by itself: by a send, a disconnect, or if the client
 * does not repeat it. Otherwise a lost connection would leave the user typing for ever.
 */
export class Typists {
  private readonly options: TypistOptions
  /** By conversation and user: their typing sockets. */
  private readonly typing = new Map<string, Map<string, Typist>>()

  constructor (options: TypistOptions) {
    this.options = options
  }

  /** The user types, or continues to type. */
  began (conversationId: string, userId: string, socketId: string, ended: () => void): void {
    const key = keyOf(conversationId, userId)
    const sockets = this.typing.get(key) ?? new Map<string, Typist>()
    this.typing.set(key, sockets)
    sockets.get(socketId)?.stopTimer()
    sockets.set(socketId, {
      ended, stopTimer: this.options.later(typingEndsMs, () => { this.end(conversationId, userId, socketId) })
    })
  }

  /** The user has stopped. The caller tells the others. */
  stopped (conversationId: string, userId: string, socketId: string): void {
    this.remove(conversationId, userId, socketId)
  }

  /** Is nobody typing? */
  get isEmpty (): boolean {
    return this.typing.size === 0
  }

  /** A message of this user was stored there. */
  sent (conversationId: string, userId: string): void {
    for (const socketId of [...(this.typing.get(keyOf(conversationId, userId))?.keys() ?? [])]) {
      this.end(conversationId, userId, socketId)
    }
  }

  /** The socket is closed. */
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

  /** @returns whether it was the last socket on which this user types there */
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
