/** Sources of documents for cursors and pipelines, which take a few at a time. */
import { decode, encode } from '../bson/index.ts'
import { PAUSE, Slice } from '../values/slices.ts'
import type { Flow, Progress } from '../values/slices.ts'
import type { Doc } from '../values/values.ts'

/**
 * Takes a document; returns false if it wants no more now. `bytes` are valid only until it returns. `doc` is there if
 * the document was decoded already. `key` is the stored document's key.
 */
export type Take = (bytes: Buffer, doc: Doc | undefined, key: string) => boolean

/** Supplies documents. It can stop after any of them and continue with the next call. */
export interface Supply { next: (take: Take) => Progress }

/** All documents at once: only for a few. */
export function allOf (supply: Supply): Doc[] {
  const docs: Doc[] = []
  while (supply.next((bytes, doc) => docs.push(doc ?? decode(bytes)) > 0) === 'paused');
  return docs
}

export function arraySupply (documents: readonly Buffer[]): Supply {
  let next = 0
  return {
    next: take => {
      while (next < documents.length) if (!take(documents[next++]!, undefined, '')) break
      return next < documents.length ? 'enough' : 'done'
    }
  }
}

/** Encodes documents as they are taken. */
export function flowSupply (docs: Flow): Supply {
  const iterator = docs[Symbol.iterator]()
  const slice = new Slice()
  return {
    next: take => {
      for (;;) {
        const { done, value } = iterator.next()
        if (done === true) return 'done'
        if (value === PAUSE) return 'paused'
        if (!take(encode(value), value, '')) return 'enough'
        if (slice.isOver()) return 'paused'
      }
    }
  }
}
