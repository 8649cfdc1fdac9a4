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
 * Reads what this node did not hear of. A row that has moved on has its newer state at a later rev, which comes in its turn:
 * of a message that is all there is to tell (of a purged one, the purge tells it). A membership may have moved from a removal
 * to a new joining, and what is between the two must not be shown: so if a row is missing, or tells of a membership,
 * subscribers are verified, and who joined later than a change does not get it.
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

  /** Reads the revs above `after`, up to `to`. */
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

  /** Compares who is subscribed to the conversation with who may be. */
  async verify (conversationId: string): Promise<void> {
    await this.verifyMembers(conversationId, [])
  }

  /** @returns memberships of the subscribers and of further users, by user */
  private async verifyMembers (conversationId: string, userIds: readonly string[]): Promise<ReadonlyMap<string, Member>> {
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

  /** Subscribes a socket to what its user's memberships are now. */
  private async resubscribe (socket: ChatSocket): Promise<void> {
    const { identity } = socket.data.session
    const before = new Set(this.subscriptions.subscribedBy(socket))
    try {
      const read = async () => (await subscribableConversations(this.sync, identity)).shared
      await this.subscriptions.subscribeAll(socket, read)
    } finally {
      // What was sent before in what it is subscribed to from now on can only come by a sync.
      const begun = this.subscriptions.subscribedBy(socket).filter(conversationId => !before.has(conversationId))
      if (begun.length > 0) socket.emit('resync', {})
      // Heartbeats may have told of it while this socket was not there.
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
