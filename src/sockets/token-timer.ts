/** Longest time of a single timer, in milliseconds. */
const timerMax = 2 ** 31 - 1
/** Milliseconds before a token's end at which the end is announced, at most. */
const noticeMax = 60_000

export interface TokenTimes {
  /** Null: the token never expires. */
  expiresAt: Date | null
  issuedAt: Date | null
}

/**
 * The time (milliseconds since 1970) at which a token's end is announced: a minute before, or a tenth of a short
 * lifetime.
 */
export function expiryWarningAt (expiresAt: Date, issuedAt: Date | null, now: number): number {
  const life = Math.max(0, expiresAt.getTime() - (issuedAt?.getTime() ?? now))
  return expiresAt.getTime() - Math.min(noticeMax, life / 10)
}

/** Announces that a socket's token will expire, and that it has expired. */
export class TokenTimer {
  private readonly onExpiring: (expiresAt: Date) => void
  private readonly onExpired: (expiresAt: Date) => void
  private readonly timers = new Set<NodeJS.Timeout>()

  constructor (onExpiring: (expiresAt: Date) => void, onExpired: (expiresAt: Date) => void) {
    this.onExpiring = onExpiring
    this.onExpired = onExpired
  }

  /** Follows this token instead of the previous one. */
  follow ({ expiresAt, issuedAt }: TokenTimes): void {
    this.stop()
    if (expiresAt === null) return
    this.at(expiryWarningAt(expiresAt, issuedAt, Date.now()), () => { this.onExpiring(expiresAt) })
    this.at(expiresAt.getTime(), () => { this.onExpired(expiresAt) })
  }

  stop (): void {
    for (const timer of this.timers) clearTimeout(timer)
    this.timers.clear()
  }

  /** A time beyond the longest timer is reached in steps. */
  private at (time: number, act: () => void): void {
    const left = time - Date.now()
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      if (time > Date.now()) this.at(time, act)
      else act()
    }, Math.min(timerMax, Math.max(0, left)))
    timer.unref()
    this.timers.add(timer)
  }
}
