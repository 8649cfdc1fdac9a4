import { isDeepStrictEqual } from 'node:util'
import type { IndexDescription } from 'mongodb'
import { type LogCollections, collectionNames, logIndexes } from '../log/model/collections.ts'
import type { Defect } from './defect.ts'

/** The compared fields of an index; its `name` and the fields that a server adds do not matter. */
type StoredIndex = Pick<IndexDescription, 'key' | 'unique' | 'partialFilterExpression' | 'expireAfterSeconds'> & {
  name: string
}

type Name = keyof LogCollections

const names = Object.keys(logIndexes) as Name[]

/** Compares a collection's indexes with those that the log needs. */
function compareIndexes (collection: Name, stored: readonly StoredIndex[]): Defect[] {
  const found: Defect[] = []
  const say = (code: Defect['code'], index: string, why = '') => {
    found.push({ code, conversationId: '', detail: `${collectionNames[collection]}.${index}${why}` })
  }
  for (const wanted of logIndexes[collection]) {
    const index = stored.find(({ name }) => name === wanted.name)
    if (index === undefined) say('INDEX_MISSING', wanted.name)
    else if (!isDeepStrictEqual(essence(index), essence(wanted))) {
      say('INDEX_DIFFERS', wanted.name, ': drop it and start the server, or repair')
    }
  }
  for (const { name, expireAfterSeconds } of stored) {
    if (expireAfterSeconds !== undefined) say('INDEX_EXPIRES', name, ` (after ${expireAfterSeconds} s): drop it`)
  }
  return found
}

function essence ({ key, unique = false, partialFilterExpression = {} }: Omit<StoredIndex, 'name'>) {
  // The order of a key's fields matters.
  return {
    key: Object.entries(key), unique: unique === true, partialFilterExpression: JSON.stringify(partialFilterExpression)
  }
}

export async function examineIndexes (collections: LogCollections): Promise<Defect[]> {
  const found: Defect[] = []
  for (const name of names) found.push(...compareIndexes(name, await storedIndexes(collections, name)))
  return found
}

/** Creates a missing index. @throws if the rows do not allow it (two share a value that must be unique) */
export async function createIndex (collections: LogCollections, { detail }: Defect): Promise<void> {
  const [stored, index] = detail.split('.')
  const collection = names.find(name => collectionNames[name] === stored)!
  const wanted = logIndexes[collection].find(({ name }) => name === index)!
  await collections[collection].createIndexes([wanted])
}

/** Names of the log's indexes that exist and are right: only these can be hinted. */
export async function usableIndexes (collections: LogCollections): Promise<Set<string>> {
  const all = await Promise.all(names.map(async name => {
    const stored = await storedIndexes(collections, name)
    const wrong = compareIndexes(name, stored).map(({ detail }) => detail.split(/[.: ]/)[1])
    return stored.map(index => index.name).filter(index => !wrong.includes(index))
  }))
  return new Set(all.flat())
}

async function storedIndexes (collections: LogCollections, name: Name): Promise<StoredIndex[]> {
  try {
    return await collections[name].listIndexes().toArray() as StoredIndex[]
  } catch (error) {
    // NamespaceNotFound: the collection does not exist yet.
    if ((error as { code?: number }).code === 26) return []
    throw error
  }
}
