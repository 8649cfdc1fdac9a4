import type { ObjectId } from 'mongodb'
import { indexNames } from '../log/model/collections.ts'
import type { FilesContext } from './context.ts'
import { type FileRow, dueIndex, sendMsMax } from './file-row.ts'
import { markGone, release } from './quota.ts'
import { withUploadLocked } from './upload-locks.ts'

/**
 * A file lives as long as something carries it: a message in the log, or its owner or a room as their picture. There
 * is no counter. An operation that adds or removes what may carry a file first sets the file's `checkAt`, and after
 * that time the sweep checks it. So a crash in between causes a check, never a file that is forgotten or removed too
 * early.
 */

/**
 * Milliseconds after which the end of a message has been committed or has failed. If the sweep looks too early, the
 * file stays until its next check.
 */
const endMsMax = 120_000
const rowsAtOnce = 100
/** Conversations to which a file can be sent: a reader's right to it is looked for in each of them. */
const conversationsMax = 100

export interface Swept {
  removed: number
  /** Files whose removal failed; the next sweep tries again. */
  failed: number
  err?: unknown
}

/**
 * Notes that something is about to carry a file: a message, or a picture. Do it before that is committed.
 * @param conversationId to which it is sent, or whose picture it becomes; missing: its owner's picture
 * @returns false: the file is gone, or was sent to too many conversations
 */
export async function noteUse (
  context: FilesContext, { _id, sentTo }: FileRow, conversationId?: string
): Promise<boolean> {
  const now = context.now()
  const isNew = conversationId !== undefined && !sentTo.includes(conversationId)
  if (isNew && sentTo.length >= conversationsMax) return false
  const { matchedCount } = await context.files.updateOne({ _id, state: 'ready' }, {
    ...(isNew ? { $addToSet: { sentTo: conversationId } } : {}),
    $max: { usedAt: new Date(now), checkAt: new Date(now + sendMsMax) }
  })
  return matchedCount === 1
}

/** Notes that what carries these files is about to end. Do it before it does. */
export async function noteEnd (
  { files, now }: Pick<FilesContext, 'files' | 'now'>, ids: readonly ObjectId[]
): Promise<void> {
  if (ids.length === 0) return
  await files.updateMany({ _id: { $in: [...ids] } }, { $max: { checkAt: new Date(now() + endMsMax) } })
}

/** The same for everything that was sent to a conversation. */
export async function noteEndOfConversation (
  { files, now }: Pick<FilesContext, 'files' | 'now'>, conversationId: string
): Promise<void> {
  await files.updateMany({ sentTo: conversationId }, { $max: { checkAt: new Date(now() + endMsMax) } })
}

/** Looks at the files that are due, and removes those that nothing carries. Several nodes may do it at once. */
export async function sweepFiles (context: FilesContext, { signal }: { signal?: AbortSignal } = {}): Promise<Swept> {
  const swept: Swept = { removed: 0, failed: 0 }
  if (await context.blobs.isHeld()) return swept
  const before = new Date(context.now())
  for (let after = new Date(0); ;) {
    const due = await context.files.find({ checkAt: { $gt: after, $lte: before } })
      .sort({ checkAt: 1 }).hint(dueIndex).limit(rowsAtOnce).batchSize(rowsAtOnce + 1).toArray()
    for (const row of due) {
      if (signal?.aborted === true) return swept
      try {
        if (await sweepOne(context, row)) swept.removed++
      } catch (error) {
        swept.failed++
        swept.err = error
      }
    }
    if (due.length < rowsAtOnce) return swept
    // Of files that share the last time some may be left: they are looked at by the next sweep.
    after = due.at(-1)!.checkAt!
  }
  return swept
}

/** @returns whether the file was removed */
async function sweepOne (context: FilesContext, row: FileRow): Promise<boolean> {
  const { _id, state, checkAt } = row
  if (state === 'ready') {
    const isPicture = await isPictureOfAny(context, row)
    if (isPicture || await isInMessage(context, row)) {
      // What is no longer a picture is no longer for everybody.
      const ended = isPicture ? {} : { pictureKey: '' as const }
      await context.files.updateOne({ _id, state, checkAt: checkAt! }, { $unset: { checkAt: '', ...ended } })
      return false
    }
  }
  const remove = async () => {
    if (state !== 'gone' && !await markGone(context, row)) return false
    await discard(context, row)
    return true
  }
  return state === 'uploading' ? await withUploadLocked(context, _id, remove) : await remove()
}

/**
 * Removes a file that is `gone`: its bytes first, so that none are left without a row. While a copy is being made, the
 * next sweep does it.
 */
export async function discard (context: FilesContext, row: FileRow): Promise<void> {
  if (await context.blobs.isHeld()) return
  await context.blobs.remove(row._id.toHexString())
  await release(context, row)
}

/** Does anything carry the file? */
export async function isCarried (context: Pick<FilesContext, 'log' | 'users'>, row: FileRow): Promise<boolean> {
  return await isPictureOfAny(context, row) || await isInMessage(context, row)
}

/** Where everybody reads the picture of a person or a room. */
export function pathOf ({ _id, pictureKey }: FileRow): string {
  return `/api/avatars/${_id.toHexString()}-${pictureKey!}`
}

/** Is the file its owner's picture, or that of a room? */
async function isPictureOfAny (
  { log, users }: Pick<FilesContext, 'log' | 'users'>, row: FileRow
): Promise<boolean> {
  if (row.pictureKey === undefined) return false
  const path = pathOf(row)
  const owner = await users.findOne({ _id: row.userId }, { projection: { profilePicture: 1 } })
  if (owner?.profilePicture?.endsWith(path) === true) return true
  const rooms = await log.heads
    .find({ _id: { $in: row.sentTo } }, { projection: { picture: 1, deleted: 1 } }).toArray()
  return rooms.some(({ picture, deleted }) => deleted !== true && picture?.endsWith(path) === true)
}

/** Does a message carry the file, in a conversation that is not deleted and above what is purged? */
async function isInMessage (
  { log }: Pick<FilesContext, 'log'>, { _id, sentTo }: Pick<FileRow, '_id' | 'sentTo'>
): Promise<boolean> {
  for (const conversationId of sentTo) {
    const head = await log.heads.findOne({ _id: conversationId }, { projection: { deleted: 1, purgedSeq: 1 } })
    if (head === null || head.deleted === true) continue
    const [newest] = await log.rows.find({ conversationId, 'attachments._id': _id }, { projection: { seq: 1 } })
      .sort({ seq: -1 }).hint(indexNames.byAttachment).limit(1).toArray()
    if (newest !== undefined && newest.seq! > (head.purgedSeq ?? 0)) return true
  }
  return false
}
