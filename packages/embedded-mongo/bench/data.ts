/** The documents of the benchmarks. */
import { type Collection, type Db, type MongoClient, ObjectId } from 'mongodb'

/** About a hundred bytes. */
export interface Small {
  _id: number | ObjectId
  n: number
  kind: string
  text: string
  at: Date
}

/** A message as an application would store it. */
export interface Entry {
  _id: string
  conversationId: string
  rev: number
  seq: number
  senderId: string
  clientMessageId: string
  text: string
  createdAt: Date
}

/** A database of `size` small documents and `size` entries. */
export interface Database {
  client: MongoClient
  documents: Collection<Small>
  pairs: Collection<Small>
  entries: Collection<Entry>
  size: number
}

export const entriesEach = 1_000
const atOnce = 5_000

export function databaseOf (client: MongoClient, size: number): Database {
  const db: Db = client.db('bench')
  return { client, documents: db.collection('documents'), pairs: db.collection('pairs'), entries: db.collection('entries'), size }
}

export async function fill ({ documents, pairs, entries, size }: Database): Promise<void> {
  await pairs.insertOne(small(0))
  await entries.createIndex({ conversationId: 1, rev: 1 }, { unique: true })
  for (let from = 0; from < size; from += atOnce) {
    const numbers = Array.from({ length: atOnce }, (_, index) => from + index)
    await Promise.all([
      documents.insertMany(numbers.map(number => ({ ...small(number), _id: number }))),
      entries.insertMany(numbers.map(number => entry(`c${Math.floor(number / entriesEach)}`, number % entriesEach + 1)))
    ])
  }
}

export function small (n: number): Small {
  return { _id: new ObjectId(), n, kind: 'a', text: 'a document of about a hundred bytes', at: new Date(0) }
}

export function entry (conversationId: string, rev: number): Entry {
  return {
    _id: `${conversationId}:${rev}`,
    conversationId,
    rev,
    seq: rev,
    senderId: `u${rev % 50}`,
    clientMessageId: `m${rev}`,
    text: 'a message of an ordinary length, as people write them',
    createdAt: new Date(0)
  }
}
