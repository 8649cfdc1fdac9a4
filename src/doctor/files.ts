import { ObjectId } from 'mongodb'
import type { Blobs } from '../files/blobs.ts'
import type { FileCollections, FileRow } from '../files/file-row.ts'
import { isCarried } from '../files/sweep.ts'
import { indexNames } from '../log/model/collections.ts'
import type { Defect } from './defect.ts'
import type { Examination } from './examination.ts'

/** The files of a database, and their bytes if they are on this machine. */
export interface StoredFiles {
  files: FileCollections['files']
  users: FileCollections['users']
  blobs: Blobs | undefined
}

const idsAtOnce = 500

/** Every file that a message names has its row. */
export async function examineAttachments (
  { collections: { rows }, usable, say }: Examination, { files }: StoredFiles, conversationId: string
): Promise<void> {
  if (!usable.has(indexNames.byAttachment)) return
  const carrying = rows.find({ conversationId, 'attachments._id': { $exists: true } }).hint(indexNames.byAttachment)
  for await (const { _id, attachments = [], seq } of carrying) {
    for (const { _id: fileId } of attachments) {
      if (await files.findOne({ _id: fileId }, { projection: { _id: 1 } }) !== null) continue
      // The message may have been deleted meanwhile, and its file then.
      if (await rows.findOne({ _id, 'attachments._id': fileId }) === null) continue
      const detail = `file ${fileId.toHexString()} of the message at seq ${seq!}`
      say({ code: 'FILE_MISSING', conversationId, detail })
    }
  }
}

/** Files that are whole have their bytes, bytes have a file, and what nothing carries will be looked at. */
export async function examineFiles (
  { collections, say }: Examination, { files, users, blobs }: StoredFiles
): Promise<void> {
  for (let after: ObjectId | undefined; ;) {
    const filter = after === undefined ? {} : { _id: { $gt: after } }
    const some: FileRow[] = await files.find(filter).sort({ _id: 1 }).limit(idsAtOnce).toArray()
    for (const row of some) {
      const defect = await defectOf(row)
      // It may have been removed, or sent, meanwhile.
      const now = defect === undefined ? null : await files.findOne({ _id: row._id, state: row.state })
      if (defect !== undefined && now !== null && await defectOf(now) !== undefined) say(defect)
    }
    after = some.at(-1)?._id
    if (after === undefined) break
  }
  for await (const id of blobs?.ids() ?? []) {
    if (await files.findOne({ _id: new ObjectId(id) }) !== null || await blobs!.size(id) === undefined) continue
    say({ code: 'FILE_ORPHAN', conversationId: '', fileId: id, detail: `the bytes ${id} belong to no file` })
  }

  async function defectOf (row: FileRow): Promise<Defect | undefined> {
    const id = row._id.toHexString()
    if (row.state !== 'ready') return undefined
    if (blobs !== undefined && await blobs.size(id) !== row.size) {
      return { code: 'FILE_MISSING', conversationId: '', detail: `the ${row.size} bytes of file ${id}` }
    }
    if (row.checkAt !== undefined || await isCarried({ log: collections, users }, row)) return undefined
    return { code: 'FILE_ORPHAN', conversationId: '', fileId: id, detail: `nothing carries file ${id}` }
  }
}

/** What belongs to nothing is removed: bytes at once, a file by the next sweep of the server. */
export async function repairOrphan ({ files, blobs }: StoredFiles, fileId: string): Promise<boolean> {
  const _id = new ObjectId(fileId)
  const { matchedCount } = await files.updateOne({ _id }, { $set: { checkAt: new Date() } })
  if (matchedCount === 0) await blobs?.remove(fileId)
  return true
}
