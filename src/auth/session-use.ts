import { LRUCache } from 'lru-cache'
import { upTo } from '../lib/up-to.ts'
import type { Collection } from 'mongodb'
import type { SessionRow } from './session-rows.ts'

/** Milliseconds between two updates of one session's time of use. */
const noteEveryMs = 600_000

/**
 * Stores the use of sessions: the first use of each pair of tokens, which invalidates the previous pair's refresh
 * token, and then the time, every ten minutes. Other requests cost a look into a map.
 */
export class SessionUse {
  private readonly sessions: Collection<SessionRow>
  private readonly onError: (error: unknown) => void
  private readonly known = new LRUCache<string, { pair: number, at: number }>(upTo(50_000))

  constructor (sessions: Collection<SessionRow>, onError: (error: unknown) => void) {
    this.sessions = sessions
    this.onError = onError
  }

  /**
   * @param pair the token's pair in its session: 0 is the login's
   * @returns a promise for the first use of a pair: it resolves when the previous refresh token can no longer be
   * exchanged
   */
  note (sessionId: string, pair: number, now: number): Promise<void> | undefined {
    const known = this.known.get(sessionId)
    const isNew = pair > (known?.pair ?? 0)
    if (!isNew && known !== undefined && now - known.at < noteEveryMs) return undefined
    this.known.set(sessionId, { pair: Math.max(pair, known?.pair ?? 0), at: now })
    if (isNew) return this.settle(sessionId, pair, now)
    this.touch(sessionId, now).catch(this.onError)
    return undefined
  }

  private async settle (sessionId: string, pair: number, now: number): Promise<void> {
    try {
      const { matchedCount } = await this.sessions.updateOne(
        { _id: sessionId, pair }, { $unset: { previousHash: '' }, $set: { lastUsedAt: new Date(now) } }
      )
      if (matchedCount === 0) await this.touch(sessionId, now)
    } catch (error) {
      this.known.delete(sessionId)
      throw error
    }
  }

  private async touch (sessionId: string, now: number): Promise<void> {
    await this.sessions.updateOne({ _id: sessionId }, { $set: { lastUsedAt: new Date(now) } })
  }
}
