import type { ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import type { FilesContext } from './context.ts'
import type { FileRow } from './file-row.ts'
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
    // It may have been sent since, or be about to be.
    if (!await markGone(context, row)) throw inUse()
    await discard(context, row)
  }
  // What still arrived after its end would be kept, or would take space that nobody counts.
  await (row.state === 'uploading' ? withUploadLocked(context, row._id, remove) : remove())
}

const inUse = () => new TidelogError(
  'NOT_ALLOWED',
  'A message carries this file or was to carry it within the last hour, or it is a picture of you or of a room'
)
