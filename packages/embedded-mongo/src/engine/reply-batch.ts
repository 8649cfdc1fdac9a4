/** Builds `{ cursor: { firstBatch: […], id, ns }, ok: 1 }` by copying stored documents without decoding them. */
import { encode } from '../bson/index.ts'
import { TYPE, docOf } from '../values/values.ts'

/** A batch does not exceed this, unless its first document alone does. */
const BATCH_BYTES_MAX = 16 * 1024 * 1024

const CAPACITY_KEPT = 4 * 1024 * 1024
const CAPACITY_FIRST = 64 * 1024

/** Offsets of the cursor document, and of its array's name. */
const CURSOR_AT = 4 + 1 + 'cursor\0'.length
const ARRAY_NAME_AT = CURSOR_AT + 4 + 1

const SHELLS_MAX = 1_000
const shells = new Map<string, Buffer>()

/** The reply without documents and with cursor id 0, encoded once for each collection. */
function shellOf (field: string, namespace: string): Buffer {
  const name = `${field} ${namespace}`
  let shell = shells.get(name)
  if (shell === undefined) {
    shell = encode(docOf({ cursor: docOf({ [field]: [], id: 0n, ns: namespace }), ok: 1 }))
    // Clients choose the names: the cache is cleared so that it does not grow without bound.
    if (shells.size >= SHELLS_MAX) shells.clear()
    shells.set(name, shell)
  }
  return shell
}

/** The buffer of the last batch, for the next one. */
let spare: Buffer | undefined

export class ReplyBatch {
  readonly #field: string
  readonly #namespace: string
  /** The elements of the array, encoded. */
  #out: Buffer
  #at = 0
  count = 0

  constructor (field: 'firstBatch' | 'nextBatch', namespace: string) {
    this.#field = field
    this.#namespace = namespace
    this.#out = spare ?? Buffer.allocUnsafeSlow(CAPACITY_FIRST)
    spare = undefined
  }

  /** Is there room for a document of this size? */
  hasRoom (bytes: number): boolean {
    return this.count === 0 || this.#at + bytes < BATCH_BYTES_MAX
  }

  add (document: Uint8Array): void {
    this.#reserve(document.length + 16)
    this.#out[this.#at++] = TYPE.object
    this.#at += this.#out.latin1Write(String(this.count++), this.#at)
    this.#out[this.#at++] = 0
    this.#out.set(document, this.#at)
    this.#at += document.length
  }

  /** The whole reply; the batch must not be used afterwards. */
  finish (cursorId: bigint): Buffer {
    const shell = shellOf(this.#field, this.#namespace)
    const arrayAt = ARRAY_NAME_AT + this.#field.length + 1
    const reply = Buffer.allocUnsafe(shell.length + this.#at)
    shell.copy(reply, 0, 0, arrayAt + 4)
    this.#out.copy(reply, arrayAt + 4, 0, this.#at)
    shell.copy(reply, arrayAt + 4 + this.#at, arrayAt + 4)
    for (const lengthAt of [0, CURSOR_AT, arrayAt]) reply.writeInt32LE(reply.readInt32LE(lengthAt) + this.#at, lengthAt)
    reply.writeBigInt64LE(cursorId, arrayAt + 5 + this.#at + 1 + 'id\0'.length)
    if (this.#out.length <= CAPACITY_KEPT) spare = this.#out
    return reply
  }

  #reserve (bytes: number): void {
    if (this.#at + bytes <= this.#out.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#out.length * 2, this.#at + bytes))
    this.#out.copy(larger, 0, 0, this.#at)
    this.#out = larger
  }
}
