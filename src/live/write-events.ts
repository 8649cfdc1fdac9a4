import type { ChatContext } from '../chat/context.ts'
import { commonChatId, parseConversationId } from '../chat/rules/conversation-id.ts'
import { committedMessage } from '../chat/payload/load-payloads.ts'
import { type Member, type Rev, selfLogOwner } from '../log/model/types.ts'
import type { CommonChatMessage, DirectMessage, Message, RoomMessage } from '../schemas/message.ts'
import { stateChangePayload, wireIdOf } from '../sync/change-payload.ts'
import { type PublicUser, publicUser } from '../users/public-user.ts'
import { audienceOf, roomsIn } from './audience.ts'
import type { Audience, Broadcaster } from './broadcaster.ts'
import type { AfterEvent, Delivery, RowDelivery } from './delivery.ts'
import type { HeadRev, Heartbeat } from './heartbeat.ts'
import { OutboundBuffer } from '../connection/outbound-buffer.ts'
import {
  type ChatServer, type ChatSocket, type TypingNotice, memberRoom, userRoom
} from '../connection/socket-types.ts'
import type { Subscriptions } from './subscriptions.ts'
import { ownReactions, roomsApart } from './viewers.ts'

export interface EventWriter {
  io: ChatServer
  chat: ChatContext
  subscriptions: Subscriptions
  broadcaster: Broadcaster
  heartbeat: Heartbeat
}

/**
 * Turns a delivery into events. Each socket of an entitled user gets the change once, and the others get a `noop`. So
 * consecutive revs prove that a client has missed nothing.
 */
export function writeDelivery (writer: EventWriter, conversationId: string, delivery: Delivery): void | Promise<void> {
  switch (delivery.kind) {
    case 'row': return delivery.row.kind === 'message' ? writeRow(writer, delivery) : writeState(writer, delivery)
    case 'noop': return writeNoop(writer, conversationId, delivery.rev)
    case 'after': return writeAfter(writer, [conversationId, delivery.rev], delivery.event)
  }
}

/** Writes a message. Its payload may need a read. */
function writeRow (writer: EventWriter, delivery: RowDelivery): void | Promise<void> {
  const { row, isNew } = delivery
  const message = committedMessage(writer.chat, row, isNew)
  if (isNew && !(message instanceof Promise)) return writeMessage(writer, delivery, message, [])
  // Nobody has cleared or hidden a new message yet.
  return Promise.all([message, isNew ? [] : writer.chat.hidden.usersHiding(row)]).then(([message, hiding]) => {
    writeMessage(writer, delivery, message, hiding)
    writer.broadcaster.flush()
  })
}

/** @param hiding users who have cleared or hidden the message */
function writeMessage (
  { heartbeat, broadcaster, subscriptions }: EventWriter,
  { row, isNew, head }: RowDelivery,
  message: Message,
  hiding: readonly string[]
): void {
  const { conversationId, rev } = row
  // Not before the event is written: a heartbeat meanwhile would name a rev that no client has got.
  heartbeat.recordDelivered(conversationId, rev)
  const { to, except: without } = audienceAt(subscriptions, conversationId, rev)
  const noop = { conversationId, rev }
  if (row.seq! <= (head?.purgedSeq ?? 0)) return broadcaster.emit(conversationId, { to, except: without }, 'noop', noop)
  const hidden = row.receiverId !== undefined
    ? hiding.flatMap(userId => roomsIn(conversationId, userId))
    : [...subscriptions.hiddenFrom(row, isNew, head), ...hiding].map(userId => memberRoom(conversationId, userId))
  const own = ownReactions(subscriptions, row)
    .filter(({ userId }) => !hiding.includes(userId))
    .map(({ userId, reactions }) => ({ room: memberRoom(conversationId, userId), reactions }))
  const emit = (audience: Audience, message: Message) => {
    if (!isNew) {
      broadcaster.emit(conversationId, audience, 'messageChanged', message)
    } else if (row.receiverId !== undefined) {
      broadcaster.emit(conversationId, audience, 'directMessage', message as DirectMessage)
    } else if (row.roomId !== undefined) {
      broadcaster.emit(conversationId, audience, 'roomMessage', message as RoomMessage)
    } else {
      broadcaster.emit(conversationId, audience, 'commonChatMessage', message as CommonChatMessage)
    }
  }
  emit({ to, except: [...hidden, ...without, ...own.map(({ room }) => room)] }, message)
  for (const { room, reactions } of own) {
    if (!hidden.includes(room)) emit({ to: [room], except: without }, { ...message, reactions })
  }
  if (hidden.length > 0) broadcaster.emit(conversationId, { to: hidden, except: without }, 'noop', noop)
}

/** Writes memberships, settings, purges, and every row of a self log. The user of a membership may need a read. */
function writeState (writer: EventWriter, delivery: RowDelivery): void | Promise<void> {
  const { row: { kind, conversationId, userId } } = delivery
  if (kind !== 'membership' || selfLogOwner(conversationId) !== undefined) return tellState(writer, delivery)
  const { users } = writer.chat
  const id = userId!.toHexString()
  const known = users.peek(id)
  if (known !== undefined) return tellState(writer, delivery, publicUser(id, known))
  // If the read fails, a removed user must be unsubscribed all the same: the change then comes without the user.
  return users.get(id).then(row => publicUser(id, row), () => undefined).then(user => {
    tellState(writer, delivery, user)
    writer.broadcaster.flush()
  })
}

function tellState (
  { heartbeat, broadcaster, subscriptions }: EventWriter, { row, head, member }: RowDelivery, user?: PublicUser
): void {
  const { conversationId, rev, kind } = row
  heartbeat.recordDelivered(conversationId, rev)
  // Earlier events go to the earlier audience.
  broadcaster.flush()
  const owner = selfLogOwner(conversationId)
  if (owner !== undefined) {
    if (kind === 'block') subscriptions.blocks.update(owner, row.about!, row.on === true)
  } else if (kind === 'membership') {
    const userId = row.userId!.toHexString()
    // A removed user is told by their self log, not here.
    if (row.role == null) subscriptions.membershipEnded(conversationId, userId, rev)
    else if (member !== undefined) {
      subscriptions.membershipBegan(conversationId, userId, member, member.joinedRev === rev)
    }
  }
  const changed = { conversationId: wireIdOf(conversationId), rev, change: stateChangePayload(row, user) }
  broadcaster.emit(conversationId, audienceAt(subscriptions, conversationId, rev), 'conversationChanged', changed)
  if (kind !== 'meta' || head?.deleted !== true) return
  broadcaster.flush()
  subscriptions.conversationEnded(conversationId)
}

/** Writes a rev whose row has moved to a later one: the later event tells everything. */
function writeNoop ({ heartbeat, broadcaster, subscriptions }: EventWriter, conversationId: string, rev: Rev): void {
  heartbeat.recordDelivered(conversationId, rev)
  const noop = { conversationId: wireIdOf(conversationId), rev }
  broadcaster.emit(conversationId, audienceAt(subscriptions, conversationId, rev), 'noop', noop)
}

function writeAfter (writer: EventWriter, head: HeadRev, event: AfterEvent): void | Promise<void> {
  switch (event.name) {
    case 'read': return writeRead(writer, event.member, event.socketId)
    case 'typing': return writeTyping(writer, event.notice)
    case 'head': return writeHead(writer, head)
  }
}

/** @param socketId the socket that gets an acknowledgement instead, if it belongs to this process */
function writeRead (writer: EventWriter, member: Member, socketId: string | undefined): void | Promise<void> {
  const { conversationId, userId, readAt } = member
  if (readAt === undefined || conversationId === commonChatId) return
  const except = socketId === undefined ? [] : [socketId]
  const apart = roomsApart(writer, conversationId, userId.toHexString())
  if (!(apart instanceof Promise)) return tellRead(writer, member, readAt, [...except, ...apart])
  return apart.then(rooms => {
    tellRead(writer, member, readAt, [...except, ...rooms])
    writer.broadcaster.flush()
  })
}

function tellRead (
  { broadcaster }: EventWriter, { conversationId, userId, readSeq }: Member, readAt: Date, except: string[]
): void {
  const reader = userId.toHexString()
  const isDirect = parseConversationId(conversationId)?.kind === 'direct'
  // The reader's own sockets get it too, whether or not they get the conversation live.
  const to = isDirect ? audienceOf(conversationId) : [conversationId, userRoom(reader)]
  const read = { conversationId, userId: reader, seq: readSeq, at: readAt.toISOString() }
  broadcaster.emit(conversationId, { to, except }, 'messagesRead', read)
}

/** Tells sockets of this process that somebody types in a room or the common chat. */
export function writeTyping (
  writer: Pick<EventWriter, 'io' | 'chat' | 'subscriptions'>, { conversationId, userId, on }: Omit<TypingNotice, 'rev'>
): void | Promise<void> {
  const tell = (apart: string[]) => {
    writer.io.local
      .to(conversationId)
      .except([userRoom(userId), ...apart])
      .emit('typing', { conversationId, userId, on })
  }
  const apart = roomsApart(writer, conversationId, userId)
  if (!(apart instanceof Promise)) return tell(apart)
  return apart.then(tell)
}

/** Announces a conversation's rev that a heartbeat found and no event has announced. */
function writeHead ({ heartbeat }: EventWriter, head: HeadRev): void {
  // A later event has announced it meanwhile.
  if (heartbeat.isTold(head)) return
  heartbeat.recordDelivered(...head)
  if (!heartbeat.isChecking) writeHeads(heartbeat.headsOf([head]))
}

export function writeHeads (headsOf: ReadonlyMap<ChatSocket, Record<string, number>>): void {
  for (const [socket, heads] of headsOf) {
    // A client that is behind gets a `resync` when it has caught up.
    if (!OutboundBuffer.of(socket).isFull()) socket.emit('heads', heads)
  }
}

/** A user who joined after a late change was a stranger then, and does not get it. */
function audienceAt (subscriptions: Subscriptions, conversationId: string, rev: Rev): Required<Audience> {
  const later = subscriptions.joinedAfter(conversationId, rev)
  return { to: audienceOf(conversationId), except: later.map(userId => memberRoom(conversationId, userId)) }
}
