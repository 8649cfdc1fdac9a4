import type { Core } from '../core.ts'
import type { TidelogError } from '../errors.ts'
import { otherUserOf } from '../pure/state.ts'
import { Computed } from '../readable.ts'
import type { Member, Page, Readable, Rooms } from '../types.ts'

const pageSize = 200
/** Milliseconds before a list that did not come is asked for again. */
const againMs = 1_000
const againMsMax = 60_000

/** Who is in which conversation: fetched when somebody looks, then changed by what the log says. */
export class MemberLists {
  private readonly core: Core
  private readonly rooms: () => Rooms
  private readonly lists = new Map<string, Computed<readonly Member[]>>()
  private readonly fetched = new Map<string, readonly Member[]>()

  constructor (core: Core, rooms: () => Rooms) {
    this.core = core
    this.rooms = rooms
    core.changed.add(changed => {
      if (changed === 'all') {
        for (const [id, list] of this.lists) {
          list.invalidate()
          // Somebody may have looked before a user was signed in.
          this.fetchMissing(id)
        }
      } else for (const { id } of changed.batch.conversations ?? []) this.lists.get(id)?.invalidate()
    })
  }

  of (id: string): Readable<readonly Member[]> {
    const list = this.lists.get(id) ?? new Computed(() => this.compute(id), () => { void this.fetch(id) })
    this.lists.set(id, list)
    return list
  }

  private fetchMissing (id: string, waitMs?: number): void {
    if (this.lists.get(id)!.isFollowed && !this.fetched.has(id)) void this.fetch(id, waitMs)
  }

  private compute (id: string): readonly Member[] {
    const { engine } = this.core
    const other = engine === undefined ? undefined : otherUserOf(id, engine.userId)
    if (other !== undefined) return [{ userId: engine!.userId }, { userId: other }]
    const roles = engine?.conversations.get(id)?.roles ?? {}
    const members = (this.fetched.get(id) ?? []).filter(({ userId }) => !(userId in roles))
    const changed = Object.entries(roles).flatMap(([userId, role]): Member[] => role === null ? [] : [{ userId, role }])
    return [...members, ...changed]
  }

  /** Those who came or went since the first cursor are in the log; the others are asked for. */
  private async fetch (id: string, waitMs = againMs): Promise<void> {
    if (!id.startsWith('room_')) return
    const members: Member[] = []
    try {
      for (let cursor: string | undefined; ;) {
        const page: Page<Member> = await this.rooms().members(id.slice('room_'.length), { limit: pageSize, cursor })
        members.push(...page.items.map(({ userId, role, joinedAt }) => ({ userId, role, joinedAt })))
        cursor = page.cursor
        if (cursor === undefined) break
      }
    } catch (error) {
      // Otherwise whoever subscribes next asks again.
      if ((error as TidelogError).retryable) {
        this.core.clock.after(waitMs, () => { this.fetchMissing(id, Math.min(waitMs * 2, againMsMax)) })
      }
      return
    }
    this.fetched.set(id, members)
    this.lists.get(id)?.invalidate()
  }

  clear (): void {
    this.fetched.clear()
  }
}
