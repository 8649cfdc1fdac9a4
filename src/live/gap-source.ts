import { changesBetween } from '../log/read/page.ts'
import { type Head, type LogRow, type Member, type Rev, revOf, selfLogOwner } from '../log/model/types.ts'
import type { SyncContext } from '../sync/context.ts'
import { dependsOnMembership } from './audience.ts'
import type { GapFill, RevDelivery } from './delivery.ts'
import type { Heartbeat } from './heartbeat.ts'
import { subscribableConversations } from './shared-conversations.ts'
import { type ChatSocket, liveRoom } from '../connection/socket-types.ts'
import type { Subscriptions } from './subscriptions.ts'

/**
 * Reads commits that this node did not receive. If a row has moved to a later rev, its newer state is delivered there;
 * for a message that is enough (a purge covers a purged one). But a membership may have moved from a removal to a new
 * joining, and the user must not see the changes between the two. So if a row is missing, or is a membership, the
 * subscribers are verified, and a user who joined after a change does not get it.
 */
export class GapSource {
  private readonly sync: SyncContext
  private readonly subscriptions: Subscriptions
  private readonly heartbeat: Heartbeat

  constructor (sync: SyncContext, subscriptions: Subscriptions, heartbeat: Heartbeat) {
    this.sync = sync
    this.subscriptions = subscriptions
    this.heartbeat = heartbeat
  }

  /** Reads the revs above `after`, up to and including `to`. */
  async fill (conversationId: string, after: Rev, to: Rev): Promise<GapFill> {
    const { log } = this.sync.chat
    const rows = await changesBetween(log.collections, conversationId, after, to)
    const head = await log.head(conversationId)
    const userIds = rows.flatMap(({ kind, userId }) => kind === 'membership' ? [userId!.toHexString()] : [])
    const isVerified = head === undefined ||
      (dependsOnMembership(conversationId) && (rows.length < to - after || userIds.length > 0))
    const members = isVerified ? await this.verifyMembers(conversationId, userIds) : undefined
    return { deliveries: head === undefined ? undefined : deliveriesOf(rows, after, to, head, members), isVerified }
  }

  /** Compares the conversation's subscribers with its members. */
  async verify (conversationId: string): Promise<void> {
    await this.verifyMembers(conversationId, [])
  }

  /** @returns the memberships of the subscribers and of `userIds`, by user */
  private async verifyMembers (
    conversationId: string, userIds: readonly string[]
  ): Promise<ReadonlyMap<string, Member>> {
    const owner = selfLogOwner(conversationId)
    if (owner !== undefined) {
      await this.subscriptions.blocks.reload(owner)
      for (const socket of this.subscriptions.socketsOf(liveRoom(owner))) await this.resubscribe(socket)
      return noMembers
    }
    if (!dependsOnMembership(conversationId)) return noMembers
    const members = await this.subscriptions.verifyMembers(conversationId, userIds)
    const head = await this.sync.chat.log.head(conversationId)
    if (head?.deleted === true) this.subscriptions.conversationEnded(conversationId)
    return members
  }

  /** Subscribes a socket according to its user's current memberships. */
  private async resubscribe (socket: ChatSocket): Promise<void> {
    const { identity } = socket.data.session
    const before = new Set(this.subscriptions.subscribedBy(socket))
    try {
      const read = async () => (await subscribableConversations(this.sync, identity)).shared
      await this.subscriptions.subscribeAll(socket, read)
    } finally {
      // The user's newly subscribed conversations: events sent before this can only come by a sync.
      const begun = this.subscriptions.subscribedBy(socket).filter(conversationId => !before.has(conversationId))
      if (begun.length > 0) socket.emit('resync', {})
      // Heartbeats may have announced these revs before this socket subscribed.
      for (const conversationId of begun) this.heartbeat.repeatHead(conversationId)
    }
  }
}

const noMembers: ReadonlyMap<string, Member> = new Map()

function deliveriesOf (
  rows: readonly LogRow[], after: Rev, to: Rev, head: Head, members = noMembers
): Map<Rev, RevDelivery> {
  const deliveries = new Map<Rev, RevDelivery>()
  for (let rev = revOf(after + 1); rev <= to; rev = revOf(rev + 1)) deliveries.set(rev, { rev, kind: 'noop' })
  for (const row of rows) {
    const isNew = row.createdAt.getTime() === row.updatedAt.getTime()
    const member = row.userId === undefined ? undefined : members.get(row.userId.toHexString())
    deliveries.set(row.rev, { rev: row.rev, kind: 'row', row, isNew, head, member })
  }
  return deliveries
}
