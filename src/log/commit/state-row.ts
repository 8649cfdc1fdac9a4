import type { ObjectId } from 'mongodb'
import {
  type Head, type LogRow, type OwnSettings, type StateKind, memberKey, nameKeyOf, revOf, selfLogId, seqOf, stateRowId
} from '../model/types.ts'
import type { Draft } from './draft.ts'
import type { NewConversation, StateContent } from './mutation.ts'

/** Writes state rows, and opens conversations, in a draft. */

/** Returns null if the mutation may not open the conversation. */
export function openConversation (
  conversationId: string, open: NewConversation | undefined, draft: Draft, now: number
): Head | null {
  if (open === undefined) return null
  const { kind, members, ...settings } = open
  const at = new Date(now)
  for (const { userId, role } of members) {
    const key = memberKey(conversationId, userId)
    draft.writeMember(key, {
      _id: key, conversationId, userId, role, joinedSeq: seqOf(0), joinedRev: revOf(0), joinedAt: at, readSeq: seqOf(0)
    })
    putSelf(userId, 'membership', conversationId, { about: conversationId, userId, role }, draft, now)
  }
  return {
    _id: conversationId,
    kind,
    headRev: revOf(0),
    headSeq: seqOf(0),
    clock: new Date(now - 1),
    memberCount: members.length,
    createdAt: at,
    ...settings,
    ...(kind === 'room' ? nameKeyOf(settings) : {})
  }
}

/**
 * Sets a state row; undefined if it has this content already. A log keeps the last state only: a state that changes
 * back and forth does not make the log longer.
 */
export function put (
  head: Head, kind: StateKind, subject: string, content: StateContent, draft: Draft, now: number
): { row: LogRow, head: Head } | undefined {
  const _id = stateRowId(head._id, kind, subject)
  const hex = _id.toHexString()
  const before = draft.row(hex)
  if (before !== undefined && isSame(contentOf(before), content)) {
    draft.relyOn(_id)
    return undefined
  }
  const at = nextTime(head, now)
  // A row that this batch has written already keeps the rev of its first change, as a message does.
  const { rev, updatedAt } = draft.rowWrite(hex)?.to ?? { rev: revOf(head.headRev + 1), updatedAt: at }
  const createdAt = before?.createdAt ?? at
  const row: LogRow = { _id, conversationId: head._id, kind, createdAt, rev, updatedAt, ...content }
  draft.writeRow(row)
  const moved = row.rev > head.headRev ? { ...head, headRev: row.rev, clock: at } : head
  draft.moveHead(head._id, moved)
  return { row, head: moved }
}

/** Sets a state row in a user's self log, which opens with its first row. */
export function putSelf (
  userId: ObjectId, kind: 'membership' | 'read' | 'settings', conversationId: string, content: StateContent,
  draft: Draft, now: number
): LogRow | undefined {
  const id = selfLogId(userId)
  const head = draft.head(id) ?? openConversation(id, { kind: 'self', members: [] }, draft, now)!
  const done = put(head, kind, conversationId, content, draft, now)
  if (done !== undefined && kind === 'membership') draft.moveHead(id, { ...done.head, memberRev: done.row.rev })
  if (done !== undefined && kind === 'settings') draft.moveHead(id, { ...done.head, settingsRev: done.row.rev })
  return done?.row
}

export function ownSettingsIn (userId: ObjectId, conversationId: string, draft: Draft): LogRow | undefined {
  return draft.row(stateRowId(selfLogId(userId), 'settings', conversationId).toHexString())
}

/** The part of a user's settings that narrows their view. */
export function narrowingOf ({ clearedSeq, hiddenSeqs }: OwnSettings): OwnSettings {
  return { ...(clearedSeq === undefined ? {} : { clearedSeq }), ...(hiddenSeqs === undefined ? {} : { hiddenSeqs }) }
}

function contentOf ({ _id, conversationId, rev, kind, createdAt, updatedAt, ...content }: LogRow): StateContent {
  return content
}

/** State contents are small and flat. Ids and times are compared as text. */
export function isSame (a: object, b: object): boolean {
  const text = (value: object) => {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined)
    return JSON.stringify(fields.sort(([one], [other]) => one < other ? -1 : 1))
  }
  return text(a) === text(b)
}

/** Times of a conversation strictly increase, whatever the node's clock says, so that a time can serve as a cursor. */
export function nextTime (head: Head, now: number): Date {
  return new Date(Math.max(now, head.clock.getTime() + 1))
}
