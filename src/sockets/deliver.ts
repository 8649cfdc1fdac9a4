import { commonChatId, parseConversationId } from '../chat/conversation-id.ts'
import { gather, messagePayload, nobodyRead } from '../chat/payload.ts'
import { renderMessage } from '../chat/render.ts'
import type { Committed, CommittedRow } from '../log/commit.ts'
import { type Head, type Member, memberKey, selfLogOwner } from '../log/types.ts'
import type { CommonChatMessage, DirectMessage, Message, RoomMessage } from '../schemas/message.ts'
import { stateChange, wireIdOf } from '../sync/changes.ts'
import { audienceOf } from './beacon.ts'
import { Broadcaster } from './broadcaster.ts'
import { type SocketServices as Services, placeRoom, userRoom } from './types.ts'

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
  const { chat, log, readers } = given
  const broadcaster = new Broadcaster(given.io)
  const services = { ...given, broadcaster }
  const waiting = new Map<string, Promise<void>>()

  function inOrder (conversationId: string, deliver: () => void | Promise<void>): void {
    const before = waiting.get(conversationId)
    const result = before === undefined ? deliver() : before.then(() => flushing(deliver))
    if (result === undefined) return
    const done = result.catch((error: unknown) => {
      log.error({ err: error, conversationId }, 'a change could not be delivered live')
    }).then(() => { if (waiting.get(conversationId) === done) waiting.delete(conversationId) })
    waiting.set(conversationId, done)
  }

  /** Who is in the audience when it is sent must be who was when it was decided. */
  function flushing (deliver: () => void | Promise<void>): void | Promise<void> {
    const result = deliver()
    broadcaster.flush()
    return result
  }

  const stop = chat.log.subscribe(({ rows, reads, heads, members }: Committed) => {
    const headOf = new Map(heads.map(head => [head._id, head]))
    const memberOf = members.length === 0 ? noMembers : new Map(members.map(member => [member._id, member]))
    for (const { row, isNew } of rows) {
      const { conversationId, rev, kind, userId } = row
      const member = kind === 'membership' ? memberOf.get(memberKey(conversationId, userId!)) : undefined
      inOrder(conversationId, () => deliverRow(services, { row, isNew, head: headOf.get(conversationId), member }))
      log.debug({ conversationId, rev }, 'change delivered')
    }
    for (const read of reads) inOrder(read.conversationId, () => { deliverRead(services, read, readers.get(read._id)) })
    broadcaster.flush()
  })
  return { stop, finish: async () => { await Promise.all(waiting.values()) } }
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
  if (!isNew) return renderMessage(chat, row).then(later)
  const people = gather(chat, [row])
  if (people instanceof Promise) return people.then(found => { later(messagePayload(row, found, nobodyRead)) })
  deliverMessage(services, change, messagePayload(row, people, nobodyRead))
}

function deliverMessage ({ broadcaster, subscriptions }: SocketServices, { row, isNew, head }: Change, message: Message): void {
  const { conversationId, rev } = row
  const to = audienceOf(conversationId)
  if (row.seq! <= (head?.purgedSeq ?? 0)) return broadcaster.emit(conversationId, { to }, 'noop', { conversationId, rev })
  const hidden = row.receiverId === undefined ? subscriptions.hiddenFrom(row, isNew, head) : []
  const except = hidden.map(userId => placeRoom(conversationId, userId))
  const audience = { to, except }
  if (!isNew) broadcaster.emit(conversationId, audience, 'messageChanged', message)
  else if (row.receiverId !== undefined) broadcaster.emit(conversationId, audience, 'directMessage', message as DirectMessage)
  else if (row.roomId !== undefined) broadcaster.emit(conversationId, audience, 'roomMessage', message as RoomMessage)
  else broadcaster.emit(conversationId, audience, 'commonChatMessage', message as CommonChatMessage)
  if (except.length > 0) broadcaster.emit(conversationId, { to: except }, 'noop', { conversationId, rev })
}

/** Membership, settings, purges, and all of an own log. */
function deliverState ({ broadcaster, subscriptions }: SocketServices, { row, head, member }: Change): void {
  const { conversationId, rev, kind } = row
  // What was sent before goes to who was there before.
  broadcaster.flush()
  const owner = selfLogOwner(conversationId)
  if (owner !== undefined) {
    if (kind === 'block') subscriptions.blockChanged(owner, row.about!, row.on === true)
  } else if (kind === 'membership') {
    const userId = row.userId!.toHexString()
    // Who is removed does not hear of it here, but by their own log.
    if (row.role == null) subscriptions.membershipEnded(conversationId, userId)
    else if (member !== undefined) subscriptions.membershipBegan(conversationId, userId, member, member.joinedRev === rev)
  }
  broadcaster.emit(conversationId, { to: audienceOf(conversationId) }, 'conversationChanged', { conversationId: wireIdOf(conversationId), rev, change: stateChange(row) })
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
