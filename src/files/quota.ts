import type { ClientSession, ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import type { FilesContext } from './context.ts'
import { type FileRow, sendMsMax } from './file-row.ts'

/** Uploads that a user may have begun and not finished. */
const unfinishedMax = 10

/**
 * Stores the row of a new file, which takes its size from the user's quota at once.
 * @throws TidelogError TOO_LARGE, QUOTA_EXCEEDED, STORAGE_FULL
 */
export async function reserve (context: FilesContext, row: FileRow): Promise<void> {
  const { limits: { fileBytesMax, userBytesMax } } = context
  if (row.size > fileBytesMax || fileBytesMax === 0) {
    throw new TidelogError('TOO_LARGE', `A file must not be larger than ${fileBytesMax} bytes`)
  }
  await requireSpace(context, row.size)
  await inTransaction(context, async session => {
    const { bytes = 0, unfinished = 0 } = await context.usage.findOne({ _id: row.userId }, { session }) ?? {}
    if (bytes + row.size > userBytesMax) {
      throw new TidelogError('QUOTA_EXCEEDED', `Your files must not take more than ${userBytesMax} bytes together`)
    }
    if (unfinished >= unfinishedMax) {
      throw new TidelogError('QUOTA_EXCEEDED', `You have ${unfinishedMax} unfinished uploads: finish or delete one`)
    }
    await context.files.insertOne(row, { session })
    await count(context, row.userId, { bytes: row.size, unfinished: 1 }, session)
  })
}

/**
 * A full disk would stop the database too.
 * @throws TidelogError STORAGE_FULL
 */
export async function requireSpace ({ blobs, limits }: FilesContext, bytes: number): Promise<void> {
  if (await blobs.free() - bytes < limits.freeBytesMin) throw new TidelogError('STORAGE_FULL')
}

/** Stores that an upload is complete, with what is known of it. False: it was complete already, or no longer exists. */
export async function markReady (
  context: FilesContext,
  { _id, userId }: Pick<FileRow, '_id' | 'userId'>,
  known: Pick<FileRow, 'type' | 'width' | 'height' | 'checkAt'>
): Promise<boolean> {
  return await inTransaction(context, async session => {
    const { modifiedCount } = await context.files
      .updateOne({ _id, state: 'uploading' }, { $set: { ...known, state: 'ready' } }, { session })
    if (modifiedCount === 1) await count(context, userId, { bytes: 0, unfinished: -1 }, session)
    return modifiedCount === 1
  })
}

/**
 * From here on nothing may carry the file. An unfinished one stops counting as such.
 * @returns false: it was gone before, or something may be about to carry it
 */
export async function markGone (context: FilesContext, row: FileRow): Promise<boolean> {
  return await inTransaction(context, async session => {
    const { _id, state, checkAt } = row
    // A send that came between has moved `checkAt`.
    const unmoved = checkAt === undefined ? { checkAt: { $exists: false } } : { checkAt }
    // One that came before may not have been committed yet, so that the log does not show it.
    const unused = { usedAt: { $not: { $gt: new Date(context.now() - sendMsMax) } } }
    const { modifiedCount } = await context.files.updateOne({ _id, state, ...unmoved, ...unused }, {
      $set: { state: 'gone', checkAt: new Date(context.now()) }, $unset: { uploadId: '' }
    }, { session })
    if (modifiedCount === 1 && state === 'uploading') {
      await count(context, row.userId, { bytes: 0, unfinished: -1 }, session)
    }
    return modifiedCount === 1
  })
}

/** Deletes the row of a file whose bytes are gone, which gives its size back. */
export async function release (context: FilesContext, { _id, userId, size }: FileRow): Promise<void> {
  await inTransaction(context, async session => {
    const { deletedCount } = await context.files.deleteOne({ _id, state: 'gone' }, { session })
    if (deletedCount === 1) await count(context, userId, { bytes: -size, unfinished: 0 }, session)
  })
}

async function count (
  { usage }: FilesContext, userId: ObjectId, by: { bytes: number, unfinished: number }, session: ClientSession
): Promise<void> {
  await usage.updateOne({ _id: userId }, { $inc: by }, { upsert: true, session })
}

async function inTransaction<R> ({ client }: FilesContext, run: (session: ClientSession) => Promise<R>): Promise<R> {
  const session = client.startSession()
  try {
    return await session.withTransaction(run)
  } finally {
    await session.endSession()
  }
}
