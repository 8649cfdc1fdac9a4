/** Documents for cursors and pipelines, given a few at a time. */
import { decode, encode } from '../bson/index.ts'
import { PAUSE, Slice } from '../values/slices.ts'
import type { Flow, Progress } from '../values/slices.ts'
import type { Doc } from '../values/values.ts'

/**
 * Takes a document; false when it has enough. Its bytes live only until it returns; `doc` is given where it had to be decoded, `key` is
 * that of the stored document.
 */
export type Take = (bytes: Buffer, doc: Doc | undefined, key: string) => boolean

/** Gives documents, and can be left and taken up again between any two. */
export interface Supply { next: (take: Take) => Progress }

/** All of them at once, for when they are few. */
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

/** Documents that are made as they are taken. */
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
