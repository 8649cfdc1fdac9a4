import { type Filter, type FindCursor, ObjectId, type Sort } from 'mongodb'
import { indexNames } from '../log/model/collections.ts'
import {
  type Head, type LogRow, type Member, memberKey, revOf, stateRowId, selfLogId, selfLogOwner, seqOf
} from '../log/model/types.ts'
import {
  ClientIdCheck, RevCheck, type ScannedRow, SeqCheck, type Tops, headAhead, headBehind, ownLogDiffers, readAhead
} from './checks.ts'
import type { Defect } from './defect.ts'
import { examinePins } from './pins.ts'
import type { Examination } from './examination.ts'

/**
 * Examines one conversation while others write to it. Two things that must agree are read in an order in which commits
 * between the reads cannot break the rule. If there is no such order, both are read again until neither has changed.
 */

const rowsAtOnce = 1_000
const membersAtOnce = 200
/** Attempts to read two things as of one moment. */
const looksMax = 10

const projection = { rev: 1, seq: 1, kind: 1, updatedAt: 1, senderId: 1, clientMessageId: 1 } as const

export async function examineConversation (examination: Examination, conversationId: string): Promise<void> {
  const { collections, say } = examination
  const before = await collections.heads.findOne({ _id: conversationId })
  const tops = await topsOf(examination, conversationId)
  await scanRows(examination, conversationId, before, tops)
  const after = await collections.heads.findOne({ _id: conversationId })
  if (after === null) {
    const hasMembers = await collections.members.findOne({ conversationId }) !== null
    if (tops.rev > 0 || hasMembers) {
      say({
        code: 'HEAD_MISSING',
        conversationId,
        detail: tops.rev > 0 ? `rows up to rev ${tops.rev}` : 'members, and no rows'
      })
    }
    return
  }
  for (const defect of headBehind(after, tops)) say(defect)
  // Messages purged meanwhile are not missing.
  if (before !== null) {
    for (const defect of headAhead({ ...before, purgedSeq: after.purgedSeq ?? seqOf(0) }, tops)) say(defect)
  }
  if (selfLogOwner(conversationId) === undefined) {
    await examineMembers(examination, after)
    await examinePins(examination, conversationId)
  } else await examineOwnLog(examination, conversationId)
}

/** The present tops of a conversation's rows. The scans stop there, so that they end even if others keep writing. */
export async function topsOf (
  { collections: { rows }, usable }: Pick<Examination, 'collections' | 'usable'>, conversationId: string
): Promise<Tops> {
  const byRev = rows.find({ conversationId }).sort({ rev: -1 }).limit(1)
  const bySeq = rows.find({ conversationId, seq: { $gt: seqOf(0) } }).sort({ seq: -1 }).limit(1)
  if (usable.has(indexNames.byRev)) byRev.hint(indexNames.byRev)
  if (usable.has(indexNames.bySeq)) bySeq.hint(indexNames.bySeq)
  const [newest] = await byRev.toArray()
  const [last] = await bySeq.toArray()
  return { rev: newest?.rev ?? 0, seq: last?.seq ?? 0, clock: newest?.updatedAt.getTime() ?? 0 }
}

/** Three scans, each in the order of its index. */
async function scanRows (
  examination: Examination, conversationId: string, head: Head | null, tops: Tops
): Promise<void> {
  const { say } = examination
  const revs = new RevCheck(conversationId)
  for await (const row of scan(
    examination, indexNames.byRev, { conversationId, rev: { $lte: revOf(tops.rev) } }, { rev: 1 }
  )) {
    examination.rows++
    for (const defect of revs.add(row)) say(defect)
  }
  const purgedSeq = head?.purgedSeq ?? 0
  const seqs = new SeqCheck(conversationId, purgedSeq)
  for await (const row of scan(
    examination, indexNames.bySeq, { conversationId, seq: { $gt: seqOf(purgedSeq), $lte: seqOf(tops.seq) } }, { seq: 1 }
  )) {
    for (const defect of seqs.add(row)) if (await isStill(examination, defect)) say(defect)
  }
  const clientIds = new ClientIdCheck(conversationId)
  for await (const row of scan(
    examination,
    indexNames.byClientId,
    { conversationId, clientMessageId: { $exists: true } },
    { senderId: 1, clientMessageId: 1 }
  )) {
    for (const defect of clientIds.add(row)) say(defect)
  }
}

/** If the index is missing, the scan sorts the whole conversation: slow, but then the index is a defect itself. */
function scan (
  { collections: { rows }, usable }: Examination, index: string, filter: Filter<LogRow>, sort: Sort
): FindCursor<ScannedRow> {
  const cursor = rows.find(filter).project<ScannedRow>(projection).sort(sort).batchSize(rowsAtOnce)
  return usable.has(index) ? cursor.hint(index) : cursor
}

/** Is the defect still there? A purge may have deleted the messages during the scan. */
async function isStill ({ collections }: Examination, { code, conversationId, detail }: Defect): Promise<boolean> {
  if (code !== 'SEQ_MISSING') return true
  const head = await collections.heads.findOne({ _id: conversationId })
  const last = Number(/(\d+)$/.exec(detail)?.[1])
  return (head?.purgedSeq ?? 0) < last
}

async function examineMembers (examination: Examination, head: Head): Promise<void> {
  const { collections, usable, say } = examination
  const conversationId = head._id
  const cursor = collections.members.find({ conversationId }).batchSize(membersAtOnce)
  if (usable.has(indexNames.byConversation)) cursor.hint(indexNames.byConversation)
  let batch: Member[] = []
  const look = async () => {
    await compareWithOwnLogs(examination, batch)
    const now = await collections.heads.findOne({ _id: conversationId })
    if (now !== null) for (const member of batch) for (const defect of readAhead(member, now)) say(defect)
    batch = []
  }
  for await (const member of cursor) {
    if (batch.push(member) === membersAtOnce) await look()
  }
  await look()
  const counted = await countMembers(examination, conversationId)
  if (counted !== undefined && counted.members !== counted.head.memberCount) {
    say({
      code: 'MEMBER_COUNT',
      conversationId,
      detail: `${counted.members} members, and the head says ${counted.head.memberCount}`
    })
  }
}

/** The number of members, and the head as it was during the whole count: every change of members takes a rev. */
export async function countMembers (
  { collections }: Pick<Examination, 'collections'>, conversationId: string
): Promise<{ head: Head, members: number } | undefined> {
  for (let look = 0; look < looksMax; look++) {
    const before = await collections.heads.findOne({ _id: conversationId })
    const members = await collections.members.countDocuments({ conversationId })
    const after = await collections.heads.findOne({ _id: conversationId })
    if (before !== null && before.headRev === after?.headRev) return { head: before, members }
  }
  return undefined
}

async function compareWithOwnLogs (examination: Examination, members: readonly Member[]): Promise<void> {
  if (members.length === 0) return
  const ids = members.map(({ userId, conversationId }) => stateRowId(selfLogId(userId), 'membership', conversationId))
  const rows = await examination.collections.rows.find({ _id: { $in: ids } }).batchSize(membersAtOnce + 1).toArray()
  const told = new Map(rows.map(row => [row._id.toHexString(), row.role]))
  for (const [index, { userId, conversationId, role }] of members.entries()) {
    if (told.get(ids[index]!.toHexString()) !== role) await lookTwice(examination, userId.toHexString(), conversationId)
  }
}

/** Rows of a self log that name a role without such a member. */
async function examineOwnLog (examination: Examination, selfId: string): Promise<void> {
  const userId = selfLogOwner(selfId)!
  const rows = examination.collections.rows.find({ conversationId: selfId, kind: 'membership', role: { $ne: null } })
    .project<Pick<LogRow, '_id' | 'about' | 'role'>>({ about: 1, role: 1 }).batchSize(rowsAtOnce)
  if (examination.usable.has(indexNames.byRev)) rows.sort({ rev: 1 }).hint(indexNames.byRev)
  let batch: Array<Pick<LogRow, '_id' | 'about' | 'role'>> = []
  const look = async () => {
    const keys = batch.map(({ about }) => memberKey(about!, ObjectId.createFromHexString(userId)))
    const members = await examination.collections.members
      .find({ _id: { $in: keys } })
      .batchSize(membersAtOnce + 1)
      .toArray()
    const roles = new Map(members.map(({ conversationId, role }) => [conversationId, role]))
    for (const { about, role } of batch) if (roles.get(about!) !== role) await lookTwice(examination, userId, about!)
    batch = []
  }
  for await (const row of rows) {
    if (batch.push(row) === membersAtOnce) await look()
  }
  if (batch.length > 0) await look()
}

/**
 * A member's role is in the membership and in the self log, and one transaction changes both. If one did not change
 * while the other was read, both are of the same moment.
 */
async function lookTwice (examination: Examination, userId: string, conversationId: string): Promise<void> {
  const standing = await roleAndWord(examination, userId, conversationId)
  if (standing === undefined) return
  for (const defect of ownLogDiffers(userId, conversationId, standing.role, standing.told)) {
    examination.say({ ...defect, userId })
  }
}

export async function roleAndWord (
  { collections }: Pick<Examination, 'collections'>, userId: string, conversationId: string
) {
  const _id = stateRowId(selfLogId(userId), 'membership', conversationId)
  for (let look = 0; look < looksMax; look++) {
    const before = await collections.rows.findOne({ _id })
    const member = await collections.members.findOne({
      _id: memberKey(conversationId, ObjectId.createFromHexString(userId))
    })
    const after = await collections.rows.findOne({ _id })
    if (before?.rev === after?.rev) return { role: member?.role ?? null, told: after?.role }
  }
  return undefined
}
