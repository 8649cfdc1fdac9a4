import type { ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import type { FilesContext } from './context.ts'
import { type FileRow, sendMsMax } from './file-row.ts'
import { markGone } from './quota.ts'
import { discard, isCarried } from './sweep.ts'
import { withUploadLocked } from './upload-locks.ts'

/** The caller's own file, whole or not. @throws TidelogError NOT_FOUND */
export async function requireOwnUpload ({ files }: FilesContext, userId: ObjectId, _id: ObjectId): Promise<FileRow> {
  const row = await files.findOne({ _id, userId, state: { $ne: 'gone' } })
  if (row === null) throw new TidelogError('NOT_FOUND')
  return row
}

/**
 * Ends an upload, or a file that nothing carries.
 * @throws TidelogError NOT_ALLOWED while something carries the file, or may be about to; LOCKED
 */
export async function removeOwnFile (context: FilesContext, row: FileRow): Promise<void> {
  const remove = async () => {
    if (row.state === 'ready' && await isCarried(context, row)) throw inUse()
    if (!await markGone(context, row)) {
      await sweepSoon(context, row)
      throw inUse()
    }
    await discard(context, row)
  }
  // What still arrived after its end would be kept, or would take space that nobody counts.
  await (row.state === 'uploading' ? withUploadLocked(context, row._id, remove) : remove())
}

/**
 * A send may have been refused, or be about to be committed: nobody can tell yet. Its owner has no use for the file, so
 * the sweep looks when it can be told, and not a day after the upload.
 */
async function sweepSoon ({ files }: FilesContext, { _id }: FileRow): Promise<void> {
  const { usedAt } = await files.findOne({ _id, state: 'ready' }, { projection: { usedAt: 1 } }) ?? {}
  if (usedAt === undefined) return
  const checkAt = new Date(usedAt.getTime() + sendMsMax)
  await files.updateOne({ _id, state: 'ready', usedAt, checkAt: { $exists: true } }, { $min: { checkAt } })
}

const inUse = () => new TidelogError(
  'NOT_ALLOWED',
  'A message carries this file, or it is a picture of you or of a room, or you used it in the last hour. If nothing ' +
    'carries it when the hour is over, the server removes it'
)
