import { LRUCache } from 'lru-cache'
import { upTo } from '../lib/up-to.ts'

/** Largest difference, in milliseconds, between a host application's clock and ours. A larger one is ignored. */
const aheadMsMax = 300_000
const behindMsMax = 10_000
/** Sessions per user that are remembered for the newest time of issue. */
const newestMax = 50

interface Seen {
  aheadMs: number
  /** The newest time of issue among the user's tokens, and the sessions whose tokens have it. */
  newestMs: number
  newest: string[]
}

/**
 * Learns a host application's clock from its tokens. A logout everywhere happens by our clock, but `iat` is by the
 * host's. Compared directly, a fast host clock would keep tokens from before the logout valid, and a slow one would
 * refuse tokens from after it. A token is issued before it is seen, so the host's clock is at least at its `iat` then.
 */
export class IssuerClock {
  private readonly users = new LRUCache<string, Seen>(upTo(20_000))
  /**
   * For all users, in this hour and the one before: used for a user whose tokens were first seen long after their
   * issue.
   */
  private hours = { startsAt: 0, aheadMs: -Infinity, before: -Infinity }

  /** Notes a token's time of issue. */
  observe (userId: string, sessionId: string, issuedMs: number, now: number): void {
    const aheadMs = issuedMs - now
    this.observeHour(aheadMs, now)
    const seen = this.users.get(userId)
    if (seen === undefined) {
      this.users.set(userId, { aheadMs, newestMs: issuedMs, newest: [sessionId] })
      return
    }
    seen.aheadMs = Math.max(seen.aheadMs, aheadMs)
    if (issuedMs > seen.newestMs) {
      seen.newestMs = issuedMs
      seen.newest = [sessionId]
    } else if (issuedMs === seen.newestMs && seen.newest.length < newestMax && !seen.newest.includes(sessionId)) {
      seen.newest.push(sessionId)
    }
  }

  /**
   * The time from which a user's tokens are valid if all tokens until now are to be refused: by the host's clock, in
   * whole seconds like `iat`. In that second itself, the sessions in `seen` are refused.
   */
  cut (userId: string, now: number): { validFrom: Date, seen: string[] } {
    const seen = this.users.get(userId)
    const aheadMs = [seen?.aheadMs, Math.max(this.hours.aheadMs, this.hours.before)].find(isPlausible) ?? 0
    // If it is behind by less than a second, the rounding of `iat` explains it.
    const hostNow = now + (aheadMs > -1_000 && aheadMs < 0 ? 0 : aheadMs)
    const validFromMs = Math.floor(hostNow / 1_000) * 1_000
    return {
      validFrom: new Date(validFromMs), seen: seen !== undefined && seen.newestMs >= validFromMs ? [...seen.newest] : []
    }
  }

  private observeHour (aheadMs: number, now: number): void {
    if (!isPlausible(aheadMs)) return
    if (now - this.hours.startsAt >= 3_600_000) {
      this.hours = { startsAt: now, aheadMs: -Infinity, before: this.hours.aheadMs }
    }
    this.hours.aheadMs = Math.max(this.hours.aheadMs, aheadMs)
  }
}

function isPlausible (aheadMs: number | undefined): aheadMs is number {
  return aheadMs !== undefined && aheadMs >= -behindMsMax && aheadMs <= aheadMsMax
}
