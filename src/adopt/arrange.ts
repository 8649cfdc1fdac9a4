import type { ObjectId } from 'mongodb'
import { type Rev, type Seq, revOf, seqOf } from '../log/model/types.ts'
import type { StagedMessage } from './collections.ts'

/** What decides the order of a message. */
export type MessageOrder = Pick<StagedMessage, '_id' | 'senderId' | 'createdAt' | 'changedAt' | 'isRead'>

export interface Placed {
  _id: ObjectId
  seq: Seq
  rev: Rev
  updatedAt: Date
}

export interface Arranged {
  /** In the order of rev. */
  placed: Placed[]
  /** The last time that was given. */
  clock: Date
  /** When the message with the highest seq was created. */
  lastMessageAt: Date
  /** The last message of each sender that the other user has read, by the sender's id in hex. */
  readOf: Map<string, Seq>
  /** Messages that count as read, because a later one was read. */
  readEarlier: ObjectId[]
}

/**
 * Gives a conversation's messages their places. `seq` follows the creation, `rev` the last change. Times strictly
 * increase with rev: equal ones move on by a millisecond, never back, so a legacy client that asks for what has changed
 * since a time misses nothing.
 * @param messages at least one, in any order; sorted in place
 */
export function arrange (messages: MessageOrder[]): Arranged {
  messages.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || Buffer.compare(a._id.id, b._id.id))
  const placed = messages.map((message, index) => ({ message, seq: seqOf(index + 1) }))
    .sort((a, b) => a.message.changedAt.getTime() - b.message.changedAt.getTime() || a.seq - b.seq)
  let clock = -Infinity
  return {
    placed: placed.map(({ message: { _id, changedAt }, seq }, index) => {
      clock = Math.max(changedAt.getTime(), clock + 1)
      return { _id, seq, rev: revOf(index + 1), updatedAt: new Date(clock) }
    }),
    clock: new Date(clock),
    lastMessageAt: messages.at(-1)!.createdAt,
    ...readPositions(messages)
  }
}

/** A read position is the last message to the user that was read. The old backend had a flag on each. */
function readPositions (messages: readonly MessageOrder[]): Pick<Arranged, 'readOf' | 'readEarlier'> {
  const readOf = new Map<string, Seq>()
  messages.forEach(({ senderId, isRead }, index) => {
    if (isRead) readOf.set(senderId.toHexString(), seqOf(index + 1))
  })
  const readEarlier = messages.filter(({ senderId, isRead }, index) => {
    return !isRead && index + 1 < (readOf.get(senderId.toHexString()) ?? 0)
  })
  return { readOf, readEarlier: readEarlier.map(({ _id }) => _id) }
}
