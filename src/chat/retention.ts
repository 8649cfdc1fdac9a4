import { TidelogError } from '../errors.ts'
import { collectPurged, oldestMessage } from '../log/collect.ts'
import type { Outcome } from '../log/plan.ts'
import { type Head, type Seq, seqOf } from '../log/types.ts'
import type { ChatContext } from './context.ts'

/**
 * Messages are kept for a number of days. A sweep goes through the conversations one after the other: each gets at most one purge,
 * and then its rows go. Several nodes may sweep at once: a purge that is made already changes nothing, and rows can be removed twice.
 */

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const conversationsAtOnce = 200
/** Behind every conversation that holds messages: own logs have none. */
const conversationsEnd = 'self_'

export interface Swept {
  /** Conversations of which something was purged. */
  purged: number
  /** Rows that were removed, those included that an earlier sweep had left. */
  collected: number
  /** Conversations whose purge did not come through: the next sweep tries again. */
  refused: number
  /** Why the last of them did not. */
  err?: unknown
}

/** @param signal ends the sweep between two steps; the next one goes on */
export async function sweep (context: ChatContext, { days, signal }: { days: number, signal?: AbortSignal }): Promise<Swept> {
  const { conversations } = context.log.collections
  // By the hour, so that nodes which sweep at about the same time purge the same.
  const before = new Date(Math.floor(context.now() / hourMs) * hourMs - days * dayMs)
  const swept: Swept = { purged: 0, collected: 0, refused: 0 }
  for (let after = ''; ;) {
    const heads = await conversations.find({ _id: { $gt: after, $lt: conversationsEnd } }).sort({ _id: 1 }).limit(conversationsAtOnce).batchSize(conversationsAtOnce + 1).toArray()
    for (const head of heads) {
      if (signal?.aborted === true) return swept
      await sweepOne(context, head, before, swept, signal)
    }
    const last = heads.at(-1)
    if (last === undefined) return swept
    after = last._id
  }
}

async function sweepOne ({ log }: ChatContext, head: Head, before: Date, swept: Swept, signal: AbortSignal | undefined): Promise<void> {
  const purgedSeq = head.purgedSeq ?? seqOf(0)
  let oldest = await oldestMessage(log.collections, head._id)
  if (oldest !== undefined && oldest.seq <= purgedSeq) {
    swept.collected += await collectPurged(log.collections, head, signal === undefined ? {} : { signal })
    oldest = await oldestMessage(log.collections, head._id, seqOf(purgedSeq + 1))
  }
  if (oldest === undefined || oldest.createdAt >= before || signal?.aborted === true) return
  const throughSeq = await lastBefore(log.collections, head, oldest.seq, before)
  const outcome = await purge(log, head._id, throughSeq, swept)
  if (outcome !== 'committed' && outcome !== 'unchanged') return
  if (outcome === 'committed') swept.purged++
  swept.collected += await collectPurged(log.collections, { _id: head._id, purgedSeq: throughSeq }, signal === undefined ? {} : { signal })
}

/** One conversation in which too many write does not keep the others from their purge; that the database is away is told by the reads. */
async function purge (log: ChatContext['log'], conversationId: string, throughSeq: Seq, swept: Swept): Promise<Outcome['outcome']> {
  try {
    return (await log.commit({ changes: [{ type: 'purge', conversationId, throughSeq }] })).outcome
  } catch (error) {
    if (!(error instanceof TidelogError)) throw error
    swept.refused++
    swept.err = error
    return 'refused'
  }
}

/** The last message from before a time, by halves: times of a conversation increase with its seqs. The one at `from` is such. */
async function lastBefore (collections: ChatContext['log']['collections'], { _id, headSeq }: Head, from: Seq, before: Date): Promise<Seq> {
  let [low, high]: [number, number] = [from, headSeq]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const message = await oldestMessage(collections, _id, seqOf(middle))
    if (message !== undefined && message.createdAt < before) low = Math.max(middle, Math.min(message.seq, high))
    else high = middle - 1
  }
  return seqOf(low)
}
