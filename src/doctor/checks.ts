import {
  type ConversationKind, type Head, type LogRow, type Member, type MemberRole, selfLogOwner
} from '../log/model/types.ts'
import type { Defect, DefectCode } from './defect.ts'

/**
 * The invariants of the log, checked on rows that stream in the order of an index. They do no I/O and remember only the
 * previous row. A commit during the scan only adds rows above the head that was read first, so it causes no false
 * alarm.
 */

export type ScannedRow = Pick<LogRow, '_id' | 'rev' | 'kind' | 'updatedAt'> &
  Partial<Pick<LogRow, 'seq' | 'senderId' | 'clientMessageId'>>

interface Check<T> {
  add: (row: T) => Defect[]
}

/** Rows by ascending rev: each rev is unique, and times increase with the revs. */
export class RevCheck implements Check<ScannedRow> {
  /** The last row. */
  last: ScannedRow | undefined
  private readonly conversationId: string

  constructor (conversationId: string) {
    this.conversationId = conversationId
  }

  add (row: ScannedRow): Defect[] {
    const { last, conversationId } = this
    this.last = row
    const found: Defect[] = []
    const say = (code: DefectCode, detail: string) => { found.push({ code, conversationId, detail }) }
    if ((row.kind === 'message') !== (row.seq !== undefined)) {
      const seq = row.seq === undefined ? 'no seq' : `seq ${row.seq}`
      say('SEQ_MISPLACED', `${row.kind} ${row._id.toHexString()} at rev ${row.rev} has ${seq}`)
    }
    if (last === undefined) return found
    if (row.rev === last.rev) {
      say('REV_SHARED', `rev ${row.rev}: ${last._id.toHexString()} and ${row._id.toHexString()}`)
    } else if (row.updatedAt <= last.updatedAt) {
      say(
        'TIME_ORDER',
        `rev ${row.rev} at ${row.updatedAt.toISOString()}, rev ${last.rev} at ${last.updatedAt.toISOString()}`
      )
    }
    return found
  }
}

/** Messages by ascending seq, above the purged ones: every seq occurs once. */
export class SeqCheck implements Check<ScannedRow> {
  private next: number
  private last: ScannedRow | undefined
  private readonly conversationId: string

  constructor (conversationId: string, purgedSeq: number) {
    this.conversationId = conversationId
    this.next = purgedSeq + 1
  }

  add (row: ScannedRow): Defect[] {
    const { conversationId, last, next } = this
    const seq = row.seq!
    this.last = row
    this.next = seq + 1
    if (seq === next) return []
    if (seq === last?.seq) {
      return [{
        code: 'SEQ_SHARED', conversationId, detail: `seq ${seq}: ${last._id.toHexString()} and ${row._id.toHexString()}`
      }]
    }
    return [
      { code: 'SEQ_MISSING', conversationId, detail: seq - next === 1 ? `seq ${next}` : `seq ${next} to ${seq - 1}` }
    ]
  }
}

/** Messages by sender and client id: each pair is unique. */
export class ClientIdCheck implements Check<ScannedRow> {
  private last: ScannedRow | undefined
  private readonly conversationId: string

  constructor (conversationId: string) {
    this.conversationId = conversationId
  }

  add (row: ScannedRow): Defect[] {
    const { last, conversationId } = this
    this.last = row
    if (
      last === undefined ||
      row.clientMessageId !== last.clientMessageId ||
      row.senderId?.toHexString() !== last.senderId?.toHexString()
    ) {
      return []
    }
    return [{
      code: 'CLIENT_ID_SHARED',
      conversationId,
      detail: `${row.clientMessageId!} of ${row.senderId?.toHexString() ?? 'nobody'}: ` +
        `${last._id.toHexString()} and ${row._id.toHexString()}`
    }]
  }
}

/** The highest rev, seq and clock among a conversation's rows. */
export interface Tops {
  rev: number
  seq: number
  /** Milliseconds since 1970. */
  clock: number
}

/**
 * @param head read after the rows: a head moves together with its rows, so it may be ahead of them, but never behind.
 */
export function headBehind (head: Pick<Head, '_id' | 'headRev' | 'headSeq' | 'clock'>, tops: Tops): Defect[] {
  const behind = [
    ...(head.headRev < tops.rev ? [`headRev ${head.headRev}, and a row at rev ${tops.rev}`] : []),
    ...(head.headSeq < tops.seq ? [`headSeq ${head.headSeq}, and a message at seq ${tops.seq}`] : []),
    ...(head.clock.getTime() < tops.clock
      ? [`clock ${head.clock.toISOString()}, and a row at ${new Date(tops.clock).toISOString()}`]
      : [])
  ]
  return behind.length === 0 ? [] : [{ code: 'HEAD_BEHIND', conversationId: head._id, detail: behind.join('; ') }]
}

/** @param head read before the rows: every message that it counts exists by then, unless it is purged. */
export function headAhead (head: Pick<Head, '_id' | 'headRev' | 'headSeq' | 'purgedSeq'>, tops: Tops): Defect[] {
  const last = Math.max(tops.seq, head.purgedSeq ?? 0)
  return head.headSeq <= last
    ? []
    : [
        {
          code: 'HEAD_AHEAD',
          conversationId: head._id,
          detail: `headSeq ${head.headSeq}, and the last message has seq ${last}`
        }
      ]
}

/** @param head read after the member */
export function readAhead (
  { conversationId, userId, readSeq }: Pick<Member, 'conversationId' | 'userId' | 'readSeq'>,
  head: Pick<Head, 'headSeq'>
): Defect[] {
  return readSeq <= head.headSeq
    ? []
    : [
        {
          code: 'READ_AHEAD',
          conversationId,
          detail: `user ${userId.toHexString()} has read up to seq ${readSeq} of ${head.headSeq}`
        }
      ]
}

/**
 * @param role the member's role, null for none
 * @param told the self log's role, null for "no longer", undefined for none
 */
export function ownLogDiffers (
  userId: string, conversationId: string, role: MemberRole | null, told: MemberRole | null | undefined
): Defect[] {
  if (role === (told ?? null)) return []
  return [{
    code: 'OWN_LOG',
    conversationId,
    detail: `user ${userId} is ${role ?? 'no member'}, and the own log says ${told ?? 'nothing of it'}`
  }]
}

/** The kind of conversation that an id names. */
export function kindOf (conversationId: string): ConversationKind | undefined {
  if (conversationId === 'common_chat') return 'common'
  if (selfLogOwner(conversationId) !== undefined) return 'self'
  if (conversationId.startsWith('dm_')) return 'direct'
  return conversationId.startsWith('room_') ? 'room' : undefined
}
