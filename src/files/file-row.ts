import type { Collection, Db, ObjectId } from 'mongodb'
import { noDeadline } from '../log/no-deadline.ts'

/** Milliseconds after which a send has been committed or has failed: no commit is tried for so long. */
export const sendMsMax = 3_600_000

/** A file, from the beginning of its upload until nothing carries it any more. */
export interface FileRow {
  _id: ObjectId
  /** Who uploaded it, and whose quota it counts against. */
  userId: ObjectId
  /** Chosen by the client, so that a repeated creation is the same upload. Ends with the file. */
  uploadId?: string
  name: string
  /** In bytes; known from the beginning. */
  size: number
  /**
   * `uploading`: its bytes arrive. `ready`: it is whole and on disk, and never changes again. `gone`: nothing may carry
   * it any more, and its bytes and then its row are removed.
   */
  state: 'uploading' | 'ready' | 'gone'
  /**
   * While a request writes to it: by which node, until when, whether another node wants to, and whether the node that
   * had it before may still write.
   */
  lease?: { nodeId: string, until: Date, isWanted?: boolean, isUnfenced?: boolean }
  /** From here on: if it is ready. The media type, from its content. */
  type?: string
  /** Of a picture, in pixels, as it is to be shown. */
  width?: number
  height?: number
  /**
   * The conversations to which it was sent, or whose picture it was made. More than there are: it is noted before the
   * commit, and stays when the message is deleted. Which messages carry the file is for the log to say.
   */
  sentTo: string[]
  /**
   * When something was last about to carry it. For `sendMsMax` from then on nobody can tell from the log that nothing
   * does, so the file stays.
   */
  usedAt?: Date
  /** Of the picture of a person or a room: 128 random bits in its address, which everybody may read. */
  pictureKey?: string
  /** When the sweep looks whether anything carries it; missing: something did when it last looked. */
  checkAt?: Date
  createdAt: Date
}

/** The total of a user's files. It changes in one transaction with them. */
interface UsageRow {
  /** The user. */
  _id: ObjectId
  /** The sizes of all their files, unfinished ones too. */
  bytes: number
  unfinished: number
}

/** The part of an account that can carry a file. */
interface PicturedRow {
  _id: ObjectId
  profilePicture?: string | null
}

export interface FileCollections {
  files: Collection<FileRow>
  usage: Collection<UsageRow>
  users: Collection<PicturedRow>
}

export function fileCollections (db: Db): FileCollections {
  return { files: db.collection('files'), usage: db.collection('fileUsage'), users: db.collection('users') }
}

export const dueIndex = 'checkAt'

export async function ensureFileIndexes ({ files, usage }: FileCollections): Promise<void> {
  await files.createIndex(
    { checkAt: 1 }, { name: dueIndex, partialFilterExpression: { checkAt: { $exists: true } } }, noDeadline
  )
  await files.createIndex({ userId: 1, uploadId: 1 }, {
    name: 'uploadId', unique: true, partialFilterExpression: { uploadId: { $exists: true } }, ...noDeadline
  })
  await files.createIndex({ sentTo: 1 }, { name: 'sentTo' }, noDeadline)
  // A transaction on an old MongoDB server cannot create a collection itself.
  await usage.createIndex({ bytes: 1 }, { name: 'bytes' }, noDeadline)
}
