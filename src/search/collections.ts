import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { upTo } from '../lib/up-to.ts'
import type { Collection, Db, ObjectId } from 'mongodb'
import { noDeadline } from '../log/no-deadline.ts'
import type { Rev } from '../log/model/types.ts'

/** The terms of a message, as of a rev. Their names are short because every message has one. */
export interface IndexedMessage {
  /** The message's. */
  _id: ObjectId
  /** `codeOf(conversationId)` */
  c: string
  /** Its terms. */
  k: string[]
  /** Its `createdAt`. */
  t: Date
  /** Its sender. */
  u: ObjectId
  /** The rev of the row from which the terms were taken. */
  r: Rev
}

export type SearchCollection = Collection<IndexedMessage>

export const searchIndexName = 'conversation_term_time'

export function searchCollection (db: Db): SearchCollection {
  return db.collection('search')
}

/** Creates the collection and its index, if they are missing. */
export async function ensureSearchIndex (search: SearchCollection): Promise<void> {
  await search.createIndex({ c: 1, k: 1, t: -1 }, { name: searchIndexName, ...noDeadline })
}

const codes = new LRUCache<string, string>(upTo(50_000))

/**
 * Stands for a conversation in the index. It is short; two conversations may share one, so each row that is found says
 * itself which conversation it is in.
 */
export function codeOf (conversationId: string): string {
  const known = codes.get(conversationId)
  if (known !== undefined) return known
  const code = createHash('sha256').update(conversationId).digest('base64url').slice(0, 6)
  codes.set(conversationId, code)
  return code
}

/** The name under which the index keeps its positions. Another one makes the servers index everything again. */
export const searchFollower = 'search2'
