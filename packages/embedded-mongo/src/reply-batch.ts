/**
 * Builds `{ cursor: { firstBatch: […], id, ns }, ok: 1 }` by copying stored documents into it undecoded.
 */

/** A batch stops before it would exceed this, unless its first document alone does. */
export const BATCH_BYTES_MAX = 16 * 1024 * 1024

const CAPACITY_KEPT = 4 * 1024 * 1024
/** Room for what follows the documents, beside the namespace. */
const TAIL_BYTES = 64

const CAPACITY_FIRST = 64 * 1024

/** The buffer of the batch before, for the next one. */
let spare: Buffer | undefined

export class ReplyBatch {
  readonly #namespace: string
  readonly #arrayAt: number
  #out: Buffer
  #at = 0
  count = 0

  constructor (field: 'firstBatch' | 'nextBatch', namespace: string) {
    this.#namespace = namespace
    this.#out = spare ?? Buffer.allocUnsafeSlow(CAPACITY_FIRST)
    spare = undefined
    this.#at = 4
    this.#element(3, 'cursor')
    this.#at += 4
    this.#element(4, field)
    this.#arrayAt = this.#at
    this.#at += 4
  }

  /** Whether a document of this size may still go in. */
  hasRoom (bytes: number): boolean {
    return this.count === 0 || this.#at + bytes < BATCH_BYTES_MAX
  }

  add (document: Uint8Array): void {
    this.#reserve(document.length + 16)
    this.#out[this.#at++] = 3
    this.#number(this.count++)
    this.#out[this.#at++] = 0
    this.#out.set(document, this.#at)
    this.#at += document.length
  }

  /** The whole reply; the batch must not be used afterwards. */
  finish (cursorId: bigint): Buffer {
    const namespace = Buffer.from(this.#namespace)
    this.#reserve(TAIL_BYTES + namespace.length)
    this.#out[this.#at++] = 0
    this.#out.writeInt32LE(this.#at - this.#arrayAt, this.#arrayAt)
    this.#element(18, 'id')
    this.#out.writeBigInt64LE(cursorId, this.#at)
    this.#at += 8
    this.#element(2, 'ns')
    this.#out.writeInt32LE(namespace.length + 1, this.#at)
    this.#at += 4
    this.#out.set(namespace, this.#at)
    this.#at += namespace.length
    this.#out[this.#at++] = 0
    this.#out[this.#at++] = 0
    const cursorAt = 12
    this.#out.writeInt32LE(this.#at - cursorAt, cursorAt)
    this.#element(1, 'ok')
    this.#out.writeDoubleLE(1, this.#at)
    this.#at += 8
    this.#out[this.#at++] = 0
    this.#out.writeInt32LE(this.#at, 0)
    const reply = Buffer.allocUnsafe(this.#at)
    this.#out.copy(reply, 0, 0, this.#at)
    if (this.#out.length <= CAPACITY_KEPT) spare = this.#out
    return reply
  }

  #element (type: number, name: string): void {
    this.#out[this.#at++] = type
    this.#at += this.#out.latin1Write(name, this.#at)
    this.#out[this.#at++] = 0
  }

  #number (value: number): void {
    if (value < 10) this.#out[this.#at++] = 48 + value
    else this.#at += this.#out.latin1Write(String(value), this.#at)
  }

  #reserve (bytes: number): void {
    if (this.#at + bytes <= this.#out.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#out.length * 2, this.#at + bytes))
    this.#out.copy(larger, 0, 0, this.#at)
    this.#out = larger
  }
}
