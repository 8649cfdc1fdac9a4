/** Least milliseconds between two announcements that say the same of one conversation. */
const repeatMs = 1_000
/** Conversations that are remembered; a user types in one or two. */
const conversationsMax = 50

/** Decides which `typing` events of a socket are worth passing on. */
export class TypingThrottle {
  private readonly last = new Map<string, { on: boolean, at: number }>()

  /** Were the others told that somebody types there, and not yet that they stopped? */
  isOn (conversationId: string): boolean {
    return this.last.get(conversationId)?.on === true
  }

  /** Conversations in which somebody types. */
  on (): string[] {
    return [...this.last].flatMap(([conversationId, { on }]) => on ? [conversationId] : [])
  }

  /** It ended by itself: the next time that they type is told at once. */
  ended (conversationId: string): void {
    const last = this.last.get(conversationId)
    if (last !== undefined) last.on = false
  }

  /** @param now milliseconds since 1970 */
  allows (conversationId: string, on: boolean, now: number): boolean {
    const last = this.last.get(conversationId)
    if (last === undefined ? !on : last.on === on && (!on || now - last.at < repeatMs)) return false
    // The oldest goes, but only when it is stale: switching among many conversations is throttled too.
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
