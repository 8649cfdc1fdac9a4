import { randomBytes } from 'node:crypto'
import { ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import type { FilesContext } from './context.ts'
import type { FileRow } from './file-row.ts'
import { isPicture } from './file-type.ts'
import { noteEnd, noteUse, pathOf } from './sweep.ts'
import { requireWhole } from './upload.ts'

/**
 * Pictures of people and rooms are files with an address at which everybody reads them, because an `<img>` sends no
 * token. The address has 128 random bits, so nobody finds one that they were not told. Others show a picture without
 * being asked, so what can be one is bounded more tightly than what can be sent.
 */

const pictureBytesMax = 5_242_880
/** Pixels of a side. A small file can unpack to a picture that fills the memory of whoever shows it. */
const pictureSideMax = 4_096

/**
 * Makes a file of the caller a picture of theirs, or of a room. Do it before the address stands where people find it.
 * @param conversationId of the room
 * @returns the address
 * @throws TidelogError VALIDATION, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
 */
export async function publishPicture (
  context: FilesContext, userId: ObjectId, fileId: string, conversationId?: string
): Promise<string> {
  const { files } = context
  const _id = ObjectId.createFromHexString(fileId)
  const row = await requireWhole(context, await files.findOne({ _id, userId })).catch((error: unknown) => {
    throw error instanceof TidelogError && error.code === 'NOT_FOUND' ? notYours() : error
  })
  requirePicture(row)
  // First of all, so that no sweep that has looked already can take the key or the file away.
  if (!await noteUse(context, row, conversationId)) throw notYours()
  const pictureKey = randomBytes(16).toString('base64url')
  await files.updateOne({ _id, pictureKey: { $exists: false } }, { $set: { pictureKey } })
  const published = await files.findOne({ _id, state: 'ready' })
  if (published === null) throw notYours()
  return `${context.publicUrl}${pathOf(published)}`
}

function requirePicture ({ type, size, width, height }: FileRow): void {
  if (!isPicture(type!)) {
    throw new TidelogError('UNSUPPORTED_MEDIA_TYPE', `A picture must be PNG, JPEG, GIF, WebP or AVIF, not ${type!}`)
  }
  if (size > pictureBytesMax) {
    throw new TidelogError('TOO_LARGE', `A picture must not be larger than ${pictureBytesMax} bytes`)
  }
  if (width === undefined || height === undefined) throw new TidelogError('VALIDATION', 'The picture cannot be read')
  if (Math.max(width, height) > pictureSideMax) {
    throw new TidelogError('VALIDATION', `A picture must not have more than ${pictureSideMax} pixels on a side`)
  }
}

const notYours = () => new TidelogError('VALIDATION', 'fileId must name a file that you uploaded')

/** Notes that an address is about to be replaced where people find it. Do it before it is. */
export async function notePictureEnd (context: FilesContext, address: string | null | undefined): Promise<void> {
  const [, id] = /\/api\/avatars\/([0-9a-f]{24})-[\w-]{22}$/.exec(address ?? '') ?? []
  if (id !== undefined) await noteEnd(context, [ObjectId.createFromHexString(id)])
}

/**
 * The file of an address.
 * @throws TidelogError NOT_FOUND if it is not, or no longer, a picture of anything
 */
export async function requirePublished ({ files }: FilesContext, id: string, pictureKey: string): Promise<FileRow> {
  const row = await files.findOne({ _id: ObjectId.createFromHexString(id), pictureKey, state: 'ready' })
  if (row === null) throw new TidelogError('NOT_FOUND')
  return row
}
