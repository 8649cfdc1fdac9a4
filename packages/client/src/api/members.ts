import { backoffMs } from '../clock.ts'
import type { Core } from '../core.ts'
import type { TidelogError } from '../errors.ts'
import { type ConversationRecord, otherUserOf } from '../pure/state.ts'
import { memo } from '../readable.ts'
import type { Member, Readable, Rooms } from '../types.ts'

const pageSize = 200

/**
 * Who is in a conversation: fetched when somebody looks, then changed by what the log says.
 * @param rooms asks the server
 */
export function membersOf (core: Core, id: string, rooms: () => Rooms): Readable<readonly Member[]> {
  let { engine } = core
  let fetched: readonly Member[] | undefined
  let failures = 0

  const show = memo((
    userId: string | undefined, roles: ConversationRecord['roles'] = {}, known: readonly Member[] = []
  ): readonly Member[] => {
    const other = userId === undefined ? undefined : otherUserOf(id, userId)
    if (other !== undefined) return [{ userId: userId! }, { userId: other }]
    const changed = Object.entries(roles).flatMap(([userId, role]): Member[] => role === null ? [] : [{ userId, role }])
    return [...known.filter(({ userId }) => !(userId in roles)), ...changed]
  })

  /** Those who came or went since the first cursor are in the log; the others are asked for. */
  const fetch = async (): Promise<void> => {
    if (!id.startsWith('room_')) return
    const members: Member[] = []
    try {
      for (let cursor: string | undefined; ;) {
        const page = await rooms().members(id.slice('room_'.length), { limit: pageSize, cursor })
        members.push(...page.items.map(({ userId, role, joinedAt }) => ({ userId, role, joinedAt })))
        cursor = page.cursor
        if (cursor === undefined) break
      }
    } catch (error) {
      // Otherwise whoever subscribes next asks again.
      if ((error as TidelogError).retryable) core.clock.after(backoffMs(core.random, ++failures), fetchMissing)
      return
    }
    fetched = members
    failures = 0
    shown.invalidate()
  }
  const fetchMissing = () => { if (shown.isFollowed && fetched === undefined) void fetch() }

  const rolesNow = () => core.engine?.conversations.get(id)?.roles
  const shown = core.computed(() => show(core.userId, rolesNow(), fetched), () => { void fetch() })
  core.changed.add(changed => {
    if (core.engine !== engine) fetched = undefined
    engine = core.engine
    // Somebody may have looked before a user was signed in.
    if (changed === 'all') fetchMissing()
  })
  return shown
}
