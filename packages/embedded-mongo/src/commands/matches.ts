/**
 * Finds the documents that a statement writes. Other commands run between the slices of a long search. A document is
 * always written in the same tick in which it was seen to match.
 */
import { decode } from '../bson/index.ts'
import type { Call } from './command.ts'
import { matches } from '../filter/index.ts'
import type { Filter } from '../filter/index.ts'
import type { IndexField } from '../keys/key-bytes.ts'
import { Query } from '../query/query.ts'
import type { Match } from '../query/query.ts'
import type { Collection } from '../store/collection.ts'
import type { Doc, Value } from '../values/values.ts'
import { collectionOf } from './find.ts'
import { once, whenUnlocked } from './write-batch.ts'

export type Selection = {
  readonly namespace: string
  readonly filter: Filter
  readonly hint: Value | undefined
  readonly sort?: readonly IndexField[]
}

/** A document to write, and its collection; undefined if there is none. */
export type Target = { readonly collection: Collection | undefined, readonly match: Match | undefined }

/** Calls `write` for a statement with the first match, or with none. */
export async function onFirstMatch (
  call: Call, statementId: number, selection: Selection, write: (target: Target) => Doc
): Promise<Doc> {
  return await whenUnlocked(call, () => {
    const collection = collectionOf(call, selection.namespace)
    const doIt = (match?: Match) => once(call, statementId, () => write({ collection, match }))
    if (collection === undefined) return doIt()
    const query = new Query(collection, selection.filter, call.view, { ...selection, limit: 1 })
    let match: Match | undefined
    const found = call.inSlices(() => query.next((bytes, doc, key) => {
      match = { key, doc: doc ?? decode(bytes) }
      return false
    }))
    if (!(found instanceof Promise)) return doIt(match)
    // If the search took several slices, the match may have changed since it was found.
    return found.then(() => {
      const doc = match && matching(query, match.key)
      if (match !== undefined && doc === undefined) return onFirstMatch(call, statementId, selection, write)
      return doIt(doc && { key: match!.key, doc })
    })
  })
}

const PORTION = 256

/** After this many writes, the next ones wait for the disk: what is not written yet is held in memory. */
const UNWRITTEN_MAX = 5_000

/** Calls `write` once for every match, a portion at a time, even if `write` moves documents ahead in the index. */
export async function onEachMatch (
  call: Call, collection: Collection, selection: Selection, write: (match: Match) => void
): Promise<void> {
  const query = new Query(collection, selection.filter, call.view, selection)
  const written = query.plan.legs[0]!.index === undefined ? undefined : new Set<string>()
  let unwritten = 0
  for (let isOver = false; !isOver;) {
    const keys: string[] = []
    isOver = query.next((_bytes, _doc, key) => keys.push(key) < PORTION) === 'done'
    for (const key of keys) {
      if (written?.has(key) === true) continue
      written?.add(key)
      const writing = whenUnlocked(call, () => {
        const doc = matching(query, key)
        if (doc !== undefined) write({ key, doc })
      })
      if (writing instanceof Promise) await writing
    }
    if (!isOver) await call.yieldNow()
    unwritten += keys.length
    if (unwritten < UNWRITTEN_MAX || call.transaction !== undefined) continue
    await call.engine.store.durable()
    unwritten = 0
  }
}

/** The document as it is now, if it still matches: it or its collection may have changed or been removed meanwhile. */
function matching ({ view, filter, plan }: Query, key: string): Doc | undefined {
  const bytes = plan.collection.dropped ? undefined : view.peek(key)
  const doc = bytes && decode(bytes)
  return doc !== undefined && matches(filter, doc) ? doc : undefined
}
