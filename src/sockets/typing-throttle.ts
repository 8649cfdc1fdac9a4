/** Minimum milliseconds between two equal announcements for one conversation. */
const repeatMs = 1_000
/** Conversations that are remembered. A user types in one or two. */
const conversationsMax = 50

/** Decides which `typing` events of a socket are passed on. */
export class TypingThrottle {
  private readonly last = new Map<string, { on: boolean, at: number }>()

  /** Were the others told that this user types there, and not yet that they stopped? */
  isOn (conversationId: string): boolean {
    return this.last.get(conversationId)?.on === true
  }

  /** Conversations in which this user types. */
  on (): string[] {
    return [...this.last].flatMap(([conversationId, { on }]) => on ? [conversationId] : [])
  }

  /** The typing ended by itself: the next `typing` event is passed on at once. */
  ended (conversationId: string): void {
    const last = this.last.get(conversationId)
    if (last !== undefined) last.on = false
  }

  /** @param now milliseconds since 1970 */
  allows (conversationId: string, on: boolean, now: number): boolean {
    const last = this.last.get(conversationId)
    if (last === undefined ? !on : last.on === on && (!on || now - last.at < repeatMs)) return false
    // The oldest is deleted, but only if it is stale: switching among many conversations is throttled too.
    if (last === undefined && this.last.size >= conversationsMax) {
      const [oldest] = this.last
      if (oldest === undefined || now - oldest[1].at < repeatMs) return false
      this.last.delete(oldest[0])
    }
    if (last !== undefined && on && now - last.at < repeatMs / 4) return false
    this.last.delete(conversationId)
    this.last.set(conversationId, { on, at: now })
    return true
  }
}
