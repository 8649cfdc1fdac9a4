import { LRUCache } from 'lru-cache'

/** A host application's clock may be this much ahead of ours, or behind, in milliseconds; what differs more says nothing. */
const aheadMsMax = 300_000
const behindMsMax = 10_000
/** Sessions of a user with the newest time of issue that are remembered. */
const newestMax = 50

interface Seen {
  aheadMs: number
  /** The newest time of issue among the user's tokens, and the sessions whose tokens have it. */
  newestMs: number
  newest: string[]
}

/**
 * What a host application's clock says, learned from its tokens. A logout everywhere happens by our clock, and `iat` is by
 * the host's: compared as they are, a clock that is ahead keeps tokens of before the logout good, and one that is behind
 * refuses those of after it. A token is issued before it is seen: so the host's clock is at least at its `iat` then.
 */
export class IssuerClock {
  private readonly users = new LRUCache<string, Seen>({ max: 20_000 })
  /** The same for all users, in this hour and the one before: for a user whose tokens were first seen long after their issue. */
  private hours = { startsAt: 0, aheadMs: -Infinity, before: -Infinity }

  /** Takes note of a token that names the time of its issue. */
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
    } else if (issuedMs === seen.newestMs && seen.newest.length < newestMax && !seen.newest.includes(sessionId)) seen.newest.push(sessionId)
  }

  /**
   * Where a user's tokens begin to be good if all until now are to be refused: by the host's clock, in whole seconds as `iat`
   * is. In that second itself, those of `seen` are not.
   */
  cut (userId: string, now: number): { validFrom: Date, seen: string[] } {
    const seen = this.users.get(userId)
    const aheadMs = [seen?.aheadMs, Math.max(this.hours.aheadMs, this.hours.before)].find(isPlausible) ?? 0
    // Within a second, the cutting off of `iat` alone explains that it is behind.
    const hostNow = now + (aheadMs > -1_000 && aheadMs < 0 ? 0 : aheadMs)
    const validFromMs = Math.floor(hostNow / 1_000) * 1_000
    return { validFrom: new Date(validFromMs), seen: seen !== undefined && seen.newestMs >= validFromMs ? [...seen.newest] : [] }
  }

  private observeHour (aheadMs: number, now: number): void {
    if (!isPlausible(aheadMs)) return
    if (now - this.hours.startsAt >= 3_600_000) this.hours = { startsAt: now, aheadMs: -Infinity, before: this.hours.aheadMs }
    this.hours.aheadMs = Math.max(this.hours.aheadMs, aheadMs)
  }
}

function isPlausible (aheadMs: number | undefined): aheadMs is number {
  return aheadMs !== undefined && aheadMs >= -behindMsMax && aheadMs <= aheadMsMax
}
