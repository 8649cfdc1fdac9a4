/** Open cursors. A cursor keeps its position and no read transaction, so an idle one does not make the file grow. */
import { randomBytes } from 'node:crypto'
import { mongoError } from '../values/errors.ts'
import type { ReplyBatch } from './reply-batch.ts'
import { DOCUMENT_BYTES_MAX } from '../store/documents.ts'
import type { Transaction } from '../store/transaction.ts'
import type { Supply } from '../query/supply.ts'
import type { Progress } from '../values/slices.ts'
import type { Doc } from '../values/values.ts'

/** A document that a read computes may be a little larger than a stored one. */
const MADE_BYTES_MAX = DOCUMENT_BYTES_MAX + 16 * 1024

/** What a batch holds of a document, encoded. `doc` is there if it was decoded already. */
export type Project = (bytes: Buffer, doc: Doc | undefined) => Buffer

/** Puts supplied documents into batches. */
export class Batches {
  readonly #supply: Supply
  readonly #project: Project | undefined
  /** A document that the last batch had no room for. */
  #pending: Buffer | undefined

  constructor (supply: Supply, project?: Project) {
    this.#supply = supply
    this.#project = project
  }

  /**
   * Adds documents until the batch has `limit` of them or no more room. After a pause it continues where it stopped.
   */
  fill (batch: ReplyBatch, limit: number): Progress {
    if (batch.count >= limit) return 'enough'
    if (this.#pending !== undefined) {
      batch.add(this.#pending)
      this.#pending = undefined
      if (batch.count >= limit) return 'enough'
    }
    const progress = this.#supply.next((bytes, doc) => {
      const document = this.#project === undefined ? bytes : this.#project(bytes, doc)
      if (document.length > MADE_BYTES_MAX) {
        throw mongoError('BSONObjectTooLarge',
          `BSONObj size: ${document.length} is invalid. Size must be between 0 and ${MADE_BYTES_MAX}(16MB)`)
      }
      if (batch.hasRoom(document.length)) {
        batch.add(document)
        return batch.count < limit
      }
      this.#pending = Buffer.from(document)
      return false
    })
    return this.#pending === undefined ? progress : 'enough'
  }
}

export type Cursor = {
  readonly id: bigint
  readonly namespace: string
  readonly batches: Batches
  readonly transaction: Transaction | undefined
  readonly timesOut: boolean
  lastUseMs: number
  /** A command is filling a batch from it. */
  busy: boolean
}

const IDLE_MS = 10 * 60_000

export class Cursors {
  readonly #cursors = new Map<bigint, Cursor>()

  get size (): number {
    return this.#cursors.size
  }

  /** @returns the id of the new cursor */
  add (cursor: Omit<Cursor, 'id' | 'busy'>): bigint {
    // Positive, and random, so that no client uses another's cursor by mistake.
    const id = randomBytes(8).readBigUInt64LE() >> 1n || 1n
    this.#cursors.set(id, { id, busy: false, ...cursor })
    return id
  }

  get (id: bigint, namespace: string, transaction: Transaction | undefined): Cursor {
    const cursor = this.#cursors.get(id)
    if (cursor === undefined) throw mongoError('CursorNotFound', `cursor id ${id} not found`)
    if (cursor.namespace !== namespace) {
      throw mongoError('Unauthorized', `Requested getMore on namespace '${namespace}', ` +
        `but cursor belongs to a different namespace ${cursor.namespace}`)
    }
    if (cursor.transaction !== transaction) {
      throw mongoError(50738, `Cannot run getMore on cursor ${id}, which was not created in the same transaction`)
    }
    if (cursor.busy) throw mongoError('CursorInUse', `cursor id ${id} is already in use`)
    return cursor
  }

  delete (id: bigint): boolean {
    return this.#cursors.delete(id)
  }

  sweep (nowMs: number): void {
    for (const [id, cursor] of this.#cursors) {
      const dead = cursor.transaction !== undefined && cursor.transaction.state !== 'open'
      if (dead || (cursor.timesOut && !cursor.busy && nowMs - cursor.lastUseMs > IDLE_MS)) this.#cursors.delete(id)
    }
  }
}
