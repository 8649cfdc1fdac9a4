/**
 * The users connected to this process. A user is online from the first socket until some time after the last one
 * closes, so that a reconnect causes no event. Only the time of the last activity outlives the process.
 */

type PresenceStatus = 'online' | 'offline'

export interface PresenceState {
  status: PresenceStatus
  /** Milliseconds since 1970; null: unknown. */
  lastActiveAt: number | null
}

export interface PresenceOptions {
  /** Milliseconds for which a user stays online after the last socket closes. */
  graceMs: number
  /** Milliseconds since 1970. */
  now: () => number
  /** Calls `act` after `ms` milliseconds; returns a function that cancels it. */
  later: (ms: number, act: () => void) => () => void
  /** A user has come online or gone offline. */
  onChange: (userId: string, state: PresenceState) => void
}

interface Present {
  sockets: Set<string>
  lastActiveAt: number
  /** Cancels the time of grace; defined while no socket is left. */
  graceTimer: (() => void) | undefined
}

export class PresenceTracker {
  private readonly present = new Map<string, Present>()
  /** Last activity of users who went offline after the last write. */
  private readonly unsaved = new Map<string, number>()
  private readonly options: PresenceOptions

  constructor (options: PresenceOptions) {
    this.options = options
  }

  enter (userId: string, socketId: string): void {
    const now = this.options.now()
    const known = this.present.get(userId)
    if (known !== undefined) {
      known.graceTimer?.()
      known.graceTimer = undefined
      known.sockets.add(socketId)
      known.lastActiveAt = now
      return
    }
    this.present.set(userId, { sockets: new Set([socketId]), lastActiveAt: now, graceTimer: undefined })
    this.options.onChange(userId, { status: 'online', lastActiveAt: now })
  }

  leave (userId: string, socketId: string): void {
    const known = this.present.get(userId)
    if (known?.sockets.delete(socketId) !== true || known.sockets.size > 0) return
    known.lastActiveAt = this.options.now()
    known.graceTimer = this.options.later(this.options.graceMs, () => {
      this.present.delete(userId)
      this.unsaved.set(userId, known.lastActiveAt)
      this.options.onChange(userId, { status: 'offline', lastActiveAt: known.lastActiveAt })
    })
  }

  /** Notes that the user was active. */
  touch (userId: string): void {
    const known = this.present.get(userId)
    if (known !== undefined) known.lastActiveAt = this.options.now()
  }

  /** Offline without a time if the user is not in memory. */
  stateOf (userId: string): PresenceState {
    const known = this.present.get(userId)
    return known === undefined
      ? { status: 'offline', lastActiveAt: this.unsaved.get(userId) ?? null }
      : { status: 'online', lastActiveAt: known.lastActiveAt }
  }

  /** The users who are online, with their last activity. */
  users (): Array<readonly [userId: string, lastActiveAt: number]> {
    return [...this.present].map(([userId, { lastActiveAt }]) => [userId, lastActiveAt] as const)
  }

  socketsOf (userId: string): Iterable<string> {
    return this.present.get(userId)?.sockets ?? []
  }

  /** The last activity to store for users who went offline; call `stored` after the write. */
  toStore (): { entries: Array<[userId: string, lastActiveAt: number]>, stored: () => void } {
    const entries = [...this.unsaved]
    return {
      entries,
      stored: () => {
        for (const [userId, at] of entries) if (this.unsaved.get(userId) === at) this.unsaved.delete(userId)
      }
    }
  }

  /** Forgets everybody without an event, because the process ends. */
  close (): void {
    for (const [userId, { graceTimer, lastActiveAt }] of this.present) {
      graceTimer?.()
      this.unsaved.set(userId, lastActiveAt)
    }
    this.present.clear()
  }
}
