import type { Collection, Db, MongoClient } from 'mongodb'
import type { Blobs } from '../files/blobs.ts'
import { fileCollections } from '../files/file-row.ts'
import { logCollections } from '../log/model/collections.ts'
import { examineConversation } from './conversation.ts'
import type { Defect } from './defect.ts'
import type { Examination } from './examination.ts'
import { examineAttachments, examineFiles } from './files.ts'
import { examineIndexes, usableIndexes } from './indexes.ts'
import { Repairs } from './repair.ts'

export interface Progress {
  conversations: number
  rows: number
  defects: number
}

export interface DoctorOptions {
  repair: boolean
  /** The bytes of files, if they are on this machine. */
  blobs?: Blobs | undefined
  onDefect: (defect: Defect, repaired: boolean) => void
  onProgress?: (progress: Progress) => void
}

export interface Diagnosis extends Progress {
  /** Defects that remain. */
  left: number
}

const idsAtOnce = 500

/**
 * Checks every invariant of a database, conversation by conversation, while others use it. With `repair` it corrects
 * what the rows determine. Memory does not grow with the database, except for the defects of one conversation.
 */
export async function examine (
  client: MongoClient, db: Db, { repair, blobs, onDefect, onProgress = () => {} }: DoctorOptions
): Promise<Diagnosis> {
  const collections = logCollections(db)
  const stored = { ...fileCollections(db), blobs }
  const repairs = repair ? new Repairs(client, collections, stored) : undefined
  const diagnosis: Diagnosis = { conversations: 0, rows: 0, defects: 0, left: 0 }
  const settle = async (defects: readonly Defect[]) => {
    for (const defect of defects) {
      const repaired = await repairs?.repair(defect) ?? false
      diagnosis.defects++
      if (!repaired) diagnosis.left++
      onDefect(defect, repaired)
    }
  }
  try {
    await settle(await examineIndexes(collections))
    const found: Defect[] = []
    const examination: Examination = {
      collections, usable: await usableIndexes(collections), rows: 0, say: defect => { found.push(defect) }
    }
    for await (const conversationId of conversationIds(examination)) {
      await examineConversation(examination, conversationId)
      await examineAttachments(examination, stored, conversationId)
      await settle(found.splice(0))
      diagnosis.conversations++
      diagnosis.rows = examination.rows
      onProgress(diagnosis)
    }
    await examineFiles(examination, stored)
    await settle(found.splice(0))
  } finally {
    await repairs?.close()
  }
  return diagnosis
}

/** Every conversation that has a head, rows or members: ordered by id, each once. */
async function * conversationIds ({
  collections: { heads: conversations, rows, members }
}: Examination): AsyncGenerator<string> {
  for (let after = ''; ;) {
    const heads = await conversations
      .find({ _id: { $gt: after } })
      .project<{ _id: string }>({ _id: 1 })
      .sort({ _id: 1 })
      .limit(idsAtOnce)
      .toArray()
    const through = heads.at(-1)?._id
    const ids = new Set(heads.map(({ _id }) => _id))
    // Conversations without a head are found by their rows and members.
    for (const id of [
      ...(await idsBetween(rows, after, through, ids)), ...(await idsBetween(members, after, through, ids))
    ]) {
      ids.add(id)
    }
    yield * [...ids].sort()
    if (through === undefined) return
    after = through
  }
}

/** The ids between two ids of an index that begins with them, without the known ones; one seek for each. */
async function idsBetween (
  collection: Collection<{ conversationId: string }> | unknown,
  after: string,
  through: string | undefined,
  known: ReadonlySet<string>
): Promise<string[]> {
  const rows = collection as Collection<{ conversationId: string }>
  const ids: string[] = []
  for (let last = after; ;) {
    const range = through === undefined ? { $gt: last } : { $gt: last, $lte: through }
    const [row] = await rows
      .find({ conversationId: range })
      .project<{ conversationId: string }>({ conversationId: 1 })
      .sort({ conversationId: 1 })
      .limit(1)
      .toArray()
    if (row === undefined) return ids
    last = row.conversationId
    if (!known.has(last)) ids.push(last)
  }
}
