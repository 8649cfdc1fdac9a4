import { buffer } from 'node:stream/consumers'
import { MongoServerError, ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import type { FilesContext } from './context.ts'
import { storedName } from './file-name.ts'
import type { FileRow } from './file-row.ts'
import { pictureBytes, pictureSize, typeOf } from './file-type.ts'
import { markGone, markReady, reserve } from './quota.ts'
import { discard } from './sweep.ts'

/** Milliseconds for which an upload may stay unfinished, and a file unsent. */
const unsentMsMax = 86_400_000

const uploadIdCharsMax = 100

export interface NewUpload {
  name: string | null | undefined
  size: number
  /** Chosen by the client. */
  uploadId?: string | null | undefined
}

export interface Begun {
  row: FileRow
  /** The client had begun it before with the same `uploadId`. */
  isRepeated: boolean
}

/**
 * Begins an upload, or answers the one that the client has begun with the same `uploadId`.
 * @throws TidelogError TOO_LARGE, QUOTA_EXCEEDED, STORAGE_FULL, VALIDATION; IDEMPOTENCY_MISMATCH if it is another file
 */
export async function beginUpload (context: FilesContext, userId: ObjectId, upload: NewUpload): Promise<Begun> {
  if (upload.uploadId == null) return { row: await newUpload(context, userId, upload), isRepeated: false }
  const before = await begunBefore(context, userId, upload)
  if (before !== null) return { row: before, isRepeated: true }
  try {
    return { row: await newUpload(context, userId, upload), isRepeated: false }
  } catch (error) {
    if (!(error instanceof MongoServerError && error.code === 11000)) throw error
    const same = await begunBefore(context, userId, upload)
    // It has ended already.
    if (same === null) throw new TidelogError('UNAVAILABLE')
    return { row: same, isRepeated: true }
  }
}

async function begunBefore (
  { files }: FilesContext, userId: ObjectId, { name, size, uploadId }: NewUpload
): Promise<FileRow | null> {
  if (uploadId === '' || uploadId!.length > uploadIdCharsMax) {
    throw new TidelogError('VALIDATION', `uploadId must have 1 to ${uploadIdCharsMax} characters`)
  }
  const row = await files.findOne({ userId, uploadId: uploadId! })
  if (row !== null && (row.size !== size || row.name !== storedName(name))) {
    throw new TidelogError('IDEMPOTENCY_MISMATCH', 'This uploadId was used for another file')
  }
  return row
}

async function newUpload (
  context: FilesContext, userId: ObjectId, { name, size, uploadId }: NewUpload
): Promise<FileRow> {
  const now = context.now()
  const row: FileRow = {
    _id: new ObjectId(),
    userId,
    ...(uploadId == null ? {} : { uploadId }),
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
 * How many bytes of an upload are stored. If the server crashed before it could make the blob of a new one, it makes it
 * now.
 */
export async function storedBytes ({ blobs, files }: FilesContext, { _id, state, size }: FileRow): Promise<number> {
  if (state === 'ready') return size
  const id = _id.toHexString()
  const stored = await blobs.size(id)
  if (stored !== undefined) return stored
  await blobs.create(id)
  // One that ended meanwhile has no use for it.
  if (await files.countDocuments({ _id, state: { $ne: 'gone' } }) === 0) await blobs.remove(id)
  return 0
}

/**
 * Makes an upload of which all bytes have arrived ready: from here on it is on disk, and has the type that its content
 * says. Doing it again changes nothing.
 * @throws TidelogError UNSUPPORTED_MEDIA_TYPE if files of this type are not taken: it is gone then. NOT_FOUND
 *   if it is not whole
 */
export async function finishUpload (context: FilesContext, row: FileRow): Promise<FileRow> {
  if (row.state === 'ready') return row
  const id = row._id.toHexString()
  const isWhole = await context.blobs.sync(id) && await context.blobs.size(id) === row.size
  const stream = isWhole ? await context.blobs.read(id, 0, Math.min(row.size, pictureBytes)) : undefined
  // It is not whole, or was deleted meanwhile.
  if (stream === undefined) throw new TidelogError('NOT_FOUND')
  const beginning = await buffer(stream)
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
  return await finishUpload(context, row)
}
