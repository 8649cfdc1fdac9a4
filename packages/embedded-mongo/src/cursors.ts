/** Open cursors. A cursor keeps where it is, never a read transaction, so an idle one costs the file nothing. */
import { randomBytes } from 'node:crypto'
import { mongoError } from './errors.ts'
import type { Catalog } from './store/catalog.ts'
import type { ReplyBatch } from './reply-batch.ts'
import type { Transaction } from './store/transaction.ts'
import type { View } from './store/view.ts'

/** Where a cursor's documents come from. */
export interface DocumentSource {
  /** False when what it reads has been dropped. */
  isAlive: (catalog: Catalog) => boolean
  /** Adds up to `limit` documents to the batch, as far as it has room; true when there are no more. */
  fill: (view: View, batch: ReplyBatch, limit: number) => boolean
}

export type Cursor = {
  readonly id: bigint
  readonly namespace: string
  readonly source: DocumentSource
  readonly transaction: Transaction | undefined
  readonly timesOut: boolean
  lastUseMs: number
}

const IDLE_MS = 10 * 60_000

export class Cursors {
  readonly #cursors = new Map<bigint, Cursor>()

  get size (): number {
    return this.#cursors.size
  }

  add (namespace: string, source: DocumentSource, transaction: Transaction | undefined, timesOut: boolean, nowMs: number): Cursor {
    // Positive and not guessable, as one client must not take another's by chance.
    const id = randomBytes(8).readBigUInt64LE() >> 1n || 1n
    const cursor = { id, namespace, source, transaction, timesOut, lastUseMs: nowMs }
    this.#cursors.set(id, cursor)
    return cursor
  }

  get (id: bigint, namespace: string, transaction: Transaction | undefined): Cursor {
    const cursor = this.#cursors.get(id)
    if (cursor === undefined) throw mongoError('CursorNotFound', `cursor id ${id} not found`)
    if (cursor.namespace !== namespace) throw mongoError('Unauthorized', `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`)
    if (cursor.transaction !== transaction) throw mongoError(50738, `Cannot run getMore on cursor ${id}, which was not created in the same transaction`)
    return cursor
  }

  delete (id: bigint): boolean {
    return this.#cursors.delete(id)
  }

  sweep (nowMs: number): void {
    for (const [id, cursor] of this.#cursors) {
      const dead = cursor.transaction !== undefined && cursor.transaction.state !== 'open'
      if (dead || (cursor.timesOut && nowMs - cursor.lastUseMs > IDLE_MS)) this.#cursors.delete(id)
    }
  }
}
