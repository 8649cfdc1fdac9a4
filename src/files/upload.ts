import { ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import type { FilesContext } from './context.ts'
import { storedName } from './file-name.ts'
import type { FileRow } from './file-row.ts'
import { pictureBytes, pictureSize, typeOf } from './file-type.ts'
import { markGone, markReady, reserve } from './quota.ts'
import { discard } from './sweep.ts'

/** Milliseconds for which an upload may stay unfinished, and a file unsent. */
const unsentMsMax = 86_400_000

/**
 * Begins an upload.
 * @throws TidelogError TOO_LARGE, QUOTA_EXCEEDED, STORAGE_FULL
 */
export async function beginUpload (
  context: FilesContext, userId: ObjectId, { name, size }: { name: string | null | undefined, size: number }
): Promise<FileRow> {
  const now = context.now()
  const row: FileRow = {
    _id: new ObjectId(),
    userId,
    name: storedName(name),
    size,
    state: 'uploading',
    sentTo: [],
    checkAt: new Date(now + unsentMsMax),
    createdAt: new Date(now)
  }
  await reserve(context, row)
  return row
}

/**
 * Makes an upload of which all bytes have arrived ready: from here on it is on disk, and has the type that its content
 * says. Doing it again changes nothing.
 * @throws TidelogError UNSUPPORTED_MEDIA_TYPE if files of this type are not taken: it is gone then. NOT_FOUND
 */
export async function finishUpload (context: FilesContext, row: FileRow): Promise<FileRow> {
  if (row.state === 'ready') return row
  const id = row._id.toHexString()
  try {
    await context.blobs.sync(id)
  } catch (error) {
    // It was deleted meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new TidelogError('NOT_FOUND')
    throw error
  }
  const beginning = await context.blobs.beginning(id, Math.min(row.size, pictureBytes))
  const type = await typeOf(beginning)
  if (!context.limits.isTaken(type)) {
    if (await markGone(context, row)) await discard(context, row)
    throw new TidelogError('UNSUPPORTED_MEDIA_TYPE', `Files of the type ${type} are not taken here`)
  }
  await markReady(
    context, row, { type, ...pictureSize(type, beginning), checkAt: new Date(context.now() + unsentMsMax) }
  )
  const ready = await context.files.findOne({ _id: row._id, state: 'ready' })
  if (ready === null) throw new TidelogError('NOT_FOUND')
  return ready
}

/**
 * A file that is whole. An upload whose last bytes arrived just before a crash is finished now.
 * @throws TidelogError NOT_FOUND
 */
export async function requireWhole (context: FilesContext, row: FileRow | null): Promise<FileRow> {
  if (row === null || row.state === 'gone') throw new TidelogError('NOT_FOUND')
  if (row.state === 'ready') return row
  if (await context.blobs.size(row._id.toHexString()) !== row.size) throw new TidelogError('NOT_FOUND')
  return await finishUpload(context, row)
}
