/** Longest time that one timer can run, in milliseconds. */
const timerMax = 2 ** 31 - 1
/** Longest time before the end at which it is announced, in milliseconds. */
const noticeMax = 60_000

export interface TokenTimes {
  /** Null: the token has no end. */
  expiresAt: Date | null
  issuedAt: Date | null
}

/** Milliseconds since 1970 at which the end of a token is announced: a minute before, or a tenth of a short life. */
export function expiryWarningAt (expiresAt: Date, issuedAt: Date | null, now: number): number {
  const life = Math.max(0, expiresAt.getTime() - (issuedAt?.getTime() ?? now))
  return expiresAt.getTime() - Math.min(noticeMax, life / 10)
}

/** Follows the life of a socket's token: tells that it ends, and that it has ended. */
export class TokenTimer {
  private readonly onExpiring: (expiresAt: Date) => void
  private readonly onExpired: (expiresAt: Date) => void
  private readonly timers = new Set<NodeJS.Timeout>()

  constructor (onExpiring: (expiresAt: Date) => void, onExpired: (expiresAt: Date) => void) {
    this.onExpiring = onExpiring
    this.onExpired = onExpired
  }

  /** Follows this token from now on, and no other. */
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

  /** A time that is further away than a timer can run is approached in steps. */
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
