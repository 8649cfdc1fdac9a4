import { commonChatId, parseConversationId } from '../chat/rules/conversation-id.ts'
import { loadReferences, messagePayload, noReads } from '../chat/payload/message-payload.ts'
import { loadMessagePayload } from '../chat/payload/load-payloads.ts'
import type { CommittedBatch, CommittedRow } from '../log/commit/committer.ts'
import { type Head, type LogRow, type Member, type Rev, memberKey, revOf, selfLogId, selfLogOwner } from '../log/model/types.ts'
import type { CommonChatMessage, DirectMessage, Message, RoomMessage } from '../schemas/message.ts'
import { stateChangePayload, wireIdOf } from '../sync/change-payload.ts'
import { audienceOf } from './audience.ts'
import { type Audience, Broadcaster } from './broadcaster.ts'
import { holeOf } from './hole.ts'
import type { SocketServices as Services } from './context.ts'
import type { Subscriptions } from './subscriptions.ts'
import { liveRoom, placeRoom, userRoom } from './types.ts'

interface SocketServices extends Services {
  broadcaster: Broadcaster
}

/** What a change is delivered with. */
interface Change extends CommittedRow {
  /** The conversation as the commit left it. */
  head: Head | undefined
  /** The member whose membership it tells of; undefined: a former one. */
  member: Member | undefined
}

/**
 * The one place that tells sockets of this process what was committed, here or elsewhere: each change once to each socket
 * of the entitled, in rev order, and a `noop` to those who may not see it, so that consecutive revs mean that nothing was
 * missed. A change whose payload must wait for a read holds up the later ones of its conversation, and no other.
 */
export function startDelivery (given: Services): { stop: () => void, finish: () => Promise<void> } {
  const { chat, logger, order, markReadSockets } = given
  const broadcaster = new Broadcaster(given.io)
  const services = { ...given, broadcaster }
  const waiting = new Map<string, Promise<void>>()

  function inOrder (conversationId: string, deliver: () => void | Promise<void>): void {
    const before = waiting.get(conversationId)
    const result = before === undefined ? deliver() : before.then(() => flushing(deliver))
    if (result === undefined) return
    const done = result.catch((error: unknown) => {
      logger.error({ err: error, conversationId }, 'a change could not be delivered live')
    }).then(() => { if (waiting.get(conversationId) === done) waiting.delete(conversationId) })
    waiting.set(conversationId, done)
  }

  /** Who is in the audience when it is sent must be who was when it was decided. */
  function flushing (deliver: () => void | Promise<void>): void | Promise<void> {
    const result = deliver()
    broadcaster.flush()
    return result
  }

  const hole = holeOf(given, {
    row: (row, head, member) => () => deliverRow(services, { row, isNew: row.createdAt.getTime() === row.updatedAt.getTime(), head, member }),
    nothing: (conversationId, rev) => () => { deliverNothing(services, conversationId, rev) }
  })
  order.start({ hole, pass: inOrder, flush: () => { broadcaster.flush() } })

  const stop = chat.log.onCommitted(({ rows, reads, heads, members }: CommittedBatch) => {
    const headOf = new Map(heads.map(head => [head._id, head]))
    const memberOf = members.length === 0 ? noMembers : new Map(members.map(member => [member._id, member]))
    for (const { row, isNew } of rows) {
      const { conversationId, rev, kind, userId } = row
      const member = kind === 'membership' ? memberOf.get(memberKey(conversationId, userId!)) : undefined
      const isTaken = order.take(conversationId, rev, () => deliverRow(services, { row, isNew, head: headOf.get(conversationId), member }), kind === 'membership')
      if (isTaken) logger.debug({ conversationId, rev }, 'change delivered')
      else if (kind === 'membership') comesLate(services, row)
    }
    for (const read of reads) {
      const { _id, conversationId } = read
      const reader = markReadSockets.get(_id)
      order.takeAt(conversationId, headOf.get(conversationId)?.headRev ?? revOf(0), () => { deliverRead(services, read, reader) })
    }
    broadcaster.flush()
  }, conversationIds => { order.doubt(conversationIds) })
  return {
    stop: () => {
      stop()
      order.stop()
    },
    finish: async () => { await Promise.all(waiting.values()) }
  }
}

const noMembers: ReadonlyMap<string, Member> = new Map()

function deliverRow (services: SocketServices, change: Change): void | Promise<void> {
  const { row, isNew } = change
  services.beacon.note(row.conversationId, row.rev)
  if (row.kind !== 'message') return deliverState(services, change)
  const { chat } = services
  const later = (message: Message) => {
    deliverMessage(services, change, message)
    services.broadcaster.flush()
  }
  if (!isNew) return loadMessagePayload(chat, row).then(later)
  const people = loadReferences(chat, [row])
  if (people instanceof Promise) return people.then(found => { later(messagePayload(row, found, noReads)) })
  deliverMessage(services, change, messagePayload(row, people, noReads))
}

function deliverMessage ({ broadcaster, subscriptions }: SocketServices, { row, isNew, head }: Change, message: Message): void {
  const { conversationId, rev } = row
  const { to, except: without } = audienceAt(subscriptions, conversationId, rev)
  if (row.seq! <= (head?.purgedSeq ?? 0)) return broadcaster.emit(conversationId, { to, except: without }, 'noop', { conversationId, rev })
  const hidden = row.receiverId === undefined ? subscriptions.hiddenFrom(row, isNew, head).map(userId => placeRoom(conversationId, userId)) : []
  const audience = { to, except: [...hidden, ...without] }
  if (!isNew) broadcaster.emit(conversationId, audience, 'messageChanged', message)
  else if (row.receiverId !== undefined) broadcaster.emit(conversationId, audience, 'directMessage', message as DirectMessage)
  else if (row.roomId !== undefined) broadcaster.emit(conversationId, audience, 'roomMessage', message as RoomMessage)
  else broadcaster.emit(conversationId, audience, 'commonChatMessage', message as CommonChatMessage)
  if (hidden.length > 0) broadcaster.emit(conversationId, { to: hidden, except: without }, 'noop', { conversationId, rev })
}

/** A rev whose row has moved on to a later one, which tells all there is to tell. */
function deliverNothing ({ beacon, broadcaster, subscriptions }: SocketServices, conversationId: string, rev: Rev): void {
  beacon.note(conversationId, rev)
  broadcaster.emit(conversationId, audienceAt(subscriptions, conversationId, rev), 'noop', { conversationId: wireIdOf(conversationId), rev })
}

/** Who joined later than a change that comes late was a stranger then, and does not learn of it. */
function audienceAt (subscriptions: Subscriptions, conversationId: string, rev: Rev): Required<Audience> {
  return { to: audienceOf(conversationId), except: subscriptions.joinedAfter(conversationId, rev).map(userId => placeRoom(conversationId, userId)) }
}

/** A membership that is heard of when later changes have passed: whom it let in was not there to follow them. */
function comesLate ({ order, subscriptions }: Services, { conversationId, userId, role }: LogRow): void {
  if (role == null || selfLogOwner(conversationId) !== undefined) return
  const owner = userId!.toHexString()
  if (subscriptions.socketsIn(liveRoom(owner)).some(socket => !socket.rooms.has(conversationId))) order.check(selfLogId(owner))
}

/** Membership, settings, purges, and all of an own log. */
function deliverState ({ broadcaster, subscriptions }: SocketServices, { row, head, member }: Change): void {
  const { conversationId, rev, kind } = row
  // What was sent before goes to who was there before.
  broadcaster.flush()
  const owner = selfLogOwner(conversationId)
  if (owner !== undefined) {
    if (kind === 'block') subscriptions.blockers.changed(owner, row.about!, row.on === true)
  } else if (kind === 'membership') {
    const userId = row.userId!.toHexString()
    // Who is removed does not hear of it here, but by their own log.
    if (row.role == null) subscriptions.membershipEnded(conversationId, userId, rev)
    else if (member !== undefined) subscriptions.membershipBegan(conversationId, userId, member, member.joinedRev === rev)
  }
  broadcaster.emit(conversationId, audienceAt(subscriptions, conversationId, rev), 'conversationChanged', { conversationId: wireIdOf(conversationId), rev, change: stateChangePayload(row) })
  if (kind !== 'meta' || head?.deleted !== true) return
  broadcaster.flush()
  subscriptions.conversationEnded(conversationId)
}

/** @param reader the socket that is answered by an acknowledgement, if it was one of this process. */
function deliverRead ({ broadcaster }: SocketServices, { conversationId, userId, readSeq, readAt }: Member, reader: string | undefined): void {
  if (readAt === undefined || conversationId === commonChatId) return
  const { kind } = parseConversationId(conversationId) ?? {}
  const reading = userId.toHexString()
  // The reader's own devices are told too, whether or not they get the conversation live.
  const to = kind === 'direct' ? audienceOf(conversationId) : [conversationId, userRoom(reading)]
  broadcaster.emit(conversationId, { to, except: reader === undefined ? [] : [reader] }, 'messagesRead', { conversationId, userId: reading, seq: readSeq, at: readAt.toISOString() })
}
