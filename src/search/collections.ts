import { type Collection, type Db, type MongoClient, MongoServerError } from 'mongodb'
import { positionCollection } from '../log/positions.ts'
import type { Rev, Seq } from '../log/model/types.ts'

/**
 * The index of words. The messages of a conversation lie in segments, each of which holds a stretch of them: the newest
 * in short ones, which are joined to longer ones. A directory says which segments there are; a segment's chunks hold
 * its terms. A segment is never changed: another one takes its place, in the transaction that deletes its chunks.
 */

/** A stretch of a conversation's messages. */
export interface Segment {
  /** Its chunks are `chunkId(conversationId, id, 0)`, 1, 2 … */
  id: number
  first: Seq
  last: Seq
  /** When the last message was sent, in milliseconds since 1970. */
  lastMs: number
  /** `Times` */
  times: Buffer
  /** The beginnings of the chunks' first terms, with spaces between them. */
  starts: string
}

/** What the index holds of a conversation. */
export interface Directory {
  /** The conversation's. */
  _id: string
  /** Every change up to this rev is in the index. */
  rev: Rev
  /** No segment has had this id. */
  nextId: number
  /** Ascending; none is empty, and they do not overlap. */
  segments: Segment[]
}

export interface Chunk {
  _id: string
  /** See src/search/segment.ts. */
  postings: Buffer
}

export interface SearchIndex {
  client: MongoClient
  directories: Collection<Directory>
  chunks: Collection<Chunk>
  sizes: typeof sizes
}

const sizes = {
  /** Messages of a segment. All of them are written again when one is edited. */
  segmentMax: 4_096,
  /** Neighbouring segments that are together as short as this are joined. */
  tailMax: 64,
  /** A segment is joined to the one before it, unless that one is more than this many times as long. */
  joinFactor: 8,
  /** Bytes of a chunk, unless one term has more. A search reads one of each segment, and most of its time is that. */
  chunkBytes: 600,
  /** Seqs from one message whose time is kept to the next one. */
  seqsBetweenTimes: 16
}

/**
 * The name of the index: of its collections, and of the positions of what it has handled. It names the stored form and
 * which terms there are. Another one makes the servers index everything again.
 */
export const searchName = 'search3'

export function searchIndex (db: Db): SearchIndex {
  const options = { promoteBuffers: true }
  return {
    client: db.client,
    directories: db.collection(`${searchName}.directories`, options),
    chunks: db.collection(`${searchName}.chunks`, options),
    sizes
  }
}

export const chunkId = (conversationId: string, segmentId: number, index: number) =>
  `${conversationId}|${segmentId}|${index}`

export function chunkIds (conversationId: string, { id, starts }: Segment): string[] {
  return starts.split(' ').map((_, index) => chunkId(conversationId, id, index))
}

/**
 * Creates the collections, if they are missing, because a transaction on an old MongoDB server cannot. Drops those of
 * an index under another name.
 */
export async function ensureSearchIndex (db: Db): Promise<void> {
  const names = [`${searchName}.directories`, `${searchName}.chunks`]
  const known = await db.listCollections({ name: /^search(\d|$)/ }, { nameOnly: true }).toArray()
  for (const { name } of known) if (!names.includes(name)) await db.dropCollection(name)
  for (const name of names) if (!known.some(one => one.name === name)) await create(db, name)
  await positionCollection(db).deleteMany({
    _id: { $gte: 'search', $lt: 'searci' }, $nor: [{ _id: { $gte: `${searchName}|`, $lt: `${searchName}}` } }]
  })
}

async function create (db: Db, name: string): Promise<void> {
  try {
    await db.createCollection(name)
  } catch (error) {
    // Another process was faster.
    if (!(error instanceof MongoServerError) || error.codeName !== 'NamespaceExists') throw error
  }
}
