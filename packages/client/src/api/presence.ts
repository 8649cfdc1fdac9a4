import type { Core } from '../core.ts'
import { Computed } from '../readable.ts'
import type { Presence, Readable } from '../types.ts'

interface WirePresence { userId: string, status: 'online' | 'offline', lastActiveAt: string | null }

/** Users in one question. */
const askMax = 200

/** Who is online. Nothing of it is stored; a new connection asks again. */
export class PresenceState {
  private readonly known = new Map<string, Presence>()
  private readonly followed = new Map<Computed<ReadonlyMap<string, Presence>>, readonly string[]>()
  private readonly core: Core

  constructor (core: Core) {
    this.core = core
  }

  of (userIds: readonly string[]): Readable<ReadonlyMap<string, Presence>> {
    const state: Computed<ReadonlyMap<string, Presence>> = new Computed(
      (): ReadonlyMap<string, Presence> => new Map(userIds.flatMap(id => {
        const presence = this.known.get(id)
        return presence === undefined ? [] : [[id, presence] as const]
      })),
      () => {
        this.followed.set(state, userIds)
        void this.subscribe(userIds)
      }
    )
    return state
  }

  hear ({ userId, status, lastActiveAt }: WirePresence): void {
    this.known.set(userId, { userId, status, lastActiveAt: lastActiveAt === null ? null : Date.parse(lastActiveAt) })
    for (const [state, ids] of this.followed) if (ids.includes(userId)) state.invalidate()
  }

  /** There is a connection again, or none any more: then nobody is known to be online. */
  connected (isOpen: boolean): void {
    if (!isOpen) {
      this.known.clear()
      for (const state of this.followed.keys()) state.invalidate()
      return
    }
    for (const state of [...this.followed.keys()]) if (!state.isFollowed) this.followed.delete(state)
    void this.subscribe([...new Set([...this.followed.values()].flat())])
  }

  private async subscribe (userIds: readonly string[]): Promise<void> {
    for (let start = 0; start < userIds.length; start += askMax) {
      try {
        const ids = userIds.slice(start, start + askMax)
        const answer = await this.core.remotely('presence', ids) as { presence?: WirePresence[] } | undefined
        for (const presence of answer?.presence ?? []) this.hear(presence)
      } catch {
        // The next connection asks again.
        return
      }
    }
  }
}
