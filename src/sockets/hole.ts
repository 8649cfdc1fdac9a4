import { parseConversationId } from '../chat/rules/conversation-id.ts'
import { changesBetween } from '../log/read/page.ts'
import { type Head, type LogRow, type Member, type Rev, revOf, selfLogOwner } from '../log/model/types.ts'
import { audienceOf } from './audience.ts'
import { sharedPlaces } from './go-live.ts'
import type { Hole, Send } from './order.ts'
import type { SocketServices } from './context.ts'
import { type ChatSocket, liveRoom, userRoom } from './types.ts'

/** How to send what is found in a hole. */
export interface Senders {
  row: (row: LogRow, head: Head, member: Member | undefined) => Send
  /** A rev whose row has moved on to a later one. */
  nothing: (conversationId: string, rev: Rev) => Send
}

/**
 * What a node does about changes that it did not hear of. A row that has moved on since has its newer state at a later rev, which
 * comes in its turn: of a message that is all there is to tell (of one that was purged, the purge tells it). A membership may have
 * moved from a removal to a new joining, and what is between the two must not be shown: so where a row is missing, or a
 * membership is told, who follows is compared with who may, and who joined later than a change does not get it.
 */
export function holeOf ({ chat: { log }, sync, subscriptions, beacon }: Pick<SocketServices, 'chat' | 'sync' | 'subscriptions' | 'beacon'>, senders: Senders): Hole {
  /** Puts a socket where its user's memberships are now. */
  async function enterAgain (socket: ChatSocket): Promise<void> {
    const before = new Set(subscriptions.followedBy(socket))
    try {
      await subscriptions.enterAll(socket, async () => (await sharedPlaces(sync, socket.data.session.identity)).shared)
    } finally {
      // What went before into what it follows from now on can only come by a sync.
      const begun = subscriptions.followedBy(socket).filter(conversationId => !before.has(conversationId))
      if (begun.length > 0) socket.emit('resync', {})
      // Beats may have told of it while this socket was not there.
      for (const conversationId of begun) beacon.tellAgain(conversationId)
    }
  }

  async function check (conversationId: string, userIds: readonly string[] = []): Promise<Map<string, Member>> {
    const owner = selfLogOwner(conversationId)
    if (owner !== undefined) {
      await subscriptions.blockers.readAgain(owner)
      for (const socket of subscriptions.socketsIn(liveRoom(owner))) await enterAgain(socket)
      return new Map()
    }
    if (!isRestricted(conversationId)) return new Map()
    const members = await subscriptions.check(conversationId, userIds)
    if ((await log.head(conversationId))?.deleted === true) subscriptions.conversationEnded(conversationId)
    return members
  }

  return {
    isRestricted,
    isFollowed: conversationId => {
      const owner = selfLogOwner(conversationId)
      const rooms = owner === undefined ? audienceOf(conversationId) : [userRoom(owner)]
      return rooms.some(room => subscriptions.countIn(room) > 0)
    },
    check: async conversationId => { await check(conversationId) },
    read: async (conversationId, after, to) => {
      const rows = await changesBetween(log.collections, conversationId, after, to)
      const head = await log.head(conversationId)
      const isWhole = rows.length === to - after
      const memberships = rows.filter(({ kind }) => kind === 'membership')
      const mustCheck = isRestricted(conversationId) && (!isWhole || memberships.length > 0)
      const members = mustCheck ? await check(conversationId, memberships.map(({ userId }) => userId!.toHexString())) : undefined
      const isChecked = members !== undefined
      if (head === undefined) return { sends: undefined, isChecked }
      const sends = new Map<Rev, Send>()
      for (let rev = after + 1; rev <= to; rev++) sends.set(revOf(rev), senders.nothing(conversationId, revOf(rev)))
      for (const row of rows) sends.set(row.rev, senders.row(row, head, row.userId === undefined ? undefined : members?.get(row.userId.toHexString())))
      return { sends, isChecked }
    }
  }
}

/** Rooms have members; own logs say whom their owner has blocked, and what rooms are theirs. */
function isRestricted (conversationId: string): boolean {
  return selfLogOwner(conversationId) !== undefined || parseConversationId(conversationId)?.kind === 'room'
}
