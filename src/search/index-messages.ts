import { setImmediate as nextTurn } from 'node:timers/promises'
import { foldedLetters } from '../lib/folded-text.ts'
import type { ConversationLog } from '../log/conversation-log.ts'
import type { Followed } from '../log/follower.ts'
import { type LogRow, type Seq, revOf, seqOf } from '../log/model/types.ts'
import type { SearchIndex } from './collections.ts'
import { featuresOf, featureTerm, senderTerm } from './features.ts'
import { runsOf, termsOf } from './words.ts'
import { type Change, writeSegments } from './write-segments.ts'

/** Keeps the index like the log. */

/** Rows whose terms are taken before other work gets its turn. */
const rowsInTurn = 64

/** Takes over what changed, and forgets what was purged meanwhile. */
export async function indexFollowed (index: SearchIndex, log: ConversationLog, followed: Followed[]): Promise<void> {
  await indexMessages(index, followed)
  // Whoever purged may have looked before the terms were written.
  const heads = await log.heads(followed.map(({ head }) => head._id))
  const now = followed.map(one => ({ ...one, rows: [], head: heads.get(one.head._id) ?? one.head }))
  await indexMessages(index, now.filter(({ head: { purgedSeq, deleted } }, at) =>
    purgedSeq !== followed[at]!.head.purgedSeq || deleted !== followed[at]!.head.deleted))
}

/** Writes the terms of the changed messages. */
export async function indexMessages (index: SearchIndex, followed: readonly Followed[]): Promise<void> {
  const changes: Change[] = []
  let taken = 0
  for (const { head: { _id: conversationId, purgedSeq = seqOf(0), deleted }, rows, to } of followed) {
    const change: Change = { conversationId, rev: to, purgedSeq, isGone: deleted === true, messages: new Map() }
    changes.push(change)
    if (change.isGone) continue
    for (const row of rows) {
      if (row.kind !== 'message') continue
      change.messages.set(row.seq!, { rev: row.rev, ms: row.createdAt.getTime(), terms: messageTerms(row) })
      if (++taken % rowsInTurn === 0) await nextTurn()
    }
  }
  await writeSegments(index, changes)
}

/** Removes the terms of messages whose rows are about to be deleted. */
export async function forgetMessages (index: SearchIndex, conversationId: string, purgedSeq: Seq): Promise<void> {
  await writeSegments(index, [{ conversationId, rev: revOf(0), purgedSeq, isGone: false, messages: new Map() }])
}

/** The terms of a message; none of one that was deleted. */
export function messageTerms (
  row: Pick<LogRow, 'message' | 'messageType' | 'attachments' | 'isDeleted' | 'senderId'>
): string[] {
  if (row.isDeleted === true) return []
  const terms = termsOf(runsOf(foldedLetters(row.message ?? '')))
  for (const feature of featuresOf(row)) terms.add(featureTerm(feature))
  if (row.senderId !== undefined) terms.add(senderTerm(row.senderId.toHexString()))
  return [...terms]
}
