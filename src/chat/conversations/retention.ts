import { TidelogError } from '../../errors.ts'
import { noteEnd } from '../../files/sweep.ts'
import { type DeletePurgedOptions, deletePurgedRows, oldestMessage } from '../../log/delete-purged.ts'
import type { UnitOutcome } from '../../log/commit/plan.ts'
import { type Head, type Seq, seqOf } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'

/**
 * Messages are kept for a number of days. A sweep visits the conversations one after the other, commits at most one
 * purge in each and then deletes the purged rows. Several nodes may sweep at once: repeating a purge or a deletion
 * changes nothing.
 */

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const conversationsAtOnce = 200
/** Sorts after the id of every conversation that holds messages. Self logs hold none. */
const conversationsEnd = 'self_'

export interface SweepResult {
  /** Conversations in which the sweep purged messages. */
  purged: number
  /** Rows that the sweep deleted, including those left by an earlier sweep. */
  deletedRows: number
  /** Conversations whose purge failed; the next sweep tries again. */
  failed: number
  /** The error of the last failed purge. */
  err?: unknown
}

export interface SweepOptions extends Pick<DeletePurgedOptions, 'forget' | 'signal'> {
  days: number
}

/** `signal` ends the sweep between two steps; the next sweep continues. */
export async function sweepRetention (context: ChatContext, { days, ...options }: SweepOptions): Promise<SweepResult> {
  const { signal } = options
  const { heads: conversations } = context.log.collections
  // Rounded down to the hour, so that nodes which sweep at about the same time purge the same messages.
  const before = new Date(Math.floor(context.now() / hourMs) * hourMs - days * dayMs)
  const swept: SweepResult = { purged: 0, deletedRows: 0, failed: 0 }
  for (let after = ''; ;) {
    const heads = await conversations
      .find({ _id: { $gt: after, $lt: conversationsEnd } })
      .sort({ _id: 1 })
      .limit(conversationsAtOnce)
      .batchSize(conversationsAtOnce + 1)
      .toArray()
    for (const head of heads) {
      if (signal?.aborted === true) return swept
      await sweepOne(context, head, before, swept, options)
    }
    const last = heads.at(-1)
    if (last === undefined) return swept
    after = last._id
  }
}

async function sweepOne (
  { log, files }: ChatContext, head: Head, before: Date, swept: SweepResult, options: Omit<SweepOptions, 'days'>
): Promise<void> {
  const purgedSeq = head.purgedSeq ?? seqOf(0)
  const purging: DeletePurgedOptions = { ...options, onFiles: ids => noteEnd(files, ids) }
  let oldest = await oldestMessage(log.collections, head._id)
  if (oldest !== undefined && oldest.seq <= purgedSeq) {
    swept.deletedRows += await deletePurgedRows(log.collections, head, purging)
    oldest = await oldestMessage(log.collections, head._id, seqOf(purgedSeq + 1))
  }
  if (oldest === undefined || oldest.createdAt >= before || options.signal?.aborted === true) return
  const throughSeq = await lastBefore(log.collections, head, oldest.seq, before)
  const outcome = await purge(log, head._id, throughSeq, swept)
  if (outcome !== 'committed' && outcome !== 'unchanged') return
  if (outcome === 'committed') swept.purged++
  swept.deletedRows += await deletePurgedRows(log.collections, { _id: head._id, purgedSeq: throughSeq }, purging)
}

/**
 * Purges one conversation. If too many other writes make it fail, the sweep continues. If the database is away, the
 * sweep's reads throw.
 */
async function purge (
  log: ChatContext['log'], conversationId: string, throughSeq: Seq, swept: SweepResult
): Promise<UnitOutcome['outcome']> {
  try {
    return (await log.commit({ mutations: [{ type: 'purge', conversationId, throughSeq }] })).outcome
  } catch (error) {
    if (!(error instanceof TidelogError)) throw error
    swept.failed++
    swept.err = error
    return 'refused'
  }
}

/**
 * The last message from before a time, by binary search: times in a conversation increase with its seqs. The message at
 * `from` is from before it.
 */
async function lastBefore (
  collections: ChatContext['log']['collections'], { _id, headSeq }: Head, from: Seq, before: Date
): Promise<Seq> {
  let [low, high]: [number, number] = [from, headSeq]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const message = await oldestMessage(collections, _id, seqOf(middle))
    if (message !== undefined && message.createdAt < before) low = Math.max(middle, Math.min(message.seq, high))
    else high = middle - 1
  }
  return seqOf(low)
}
