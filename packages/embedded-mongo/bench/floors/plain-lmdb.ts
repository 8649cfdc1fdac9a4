/**
 * Floor: LMDB and the disk. The same bytes under keys of one number, in a loop of the calling thread, without wire,
 * commands, indexes or locks. A write's promise settles when it is on disk, like the engine's reply.
 */
import { join } from 'node:path'
import { serialize } from 'bson'
import { type Database, open } from 'lmdb'
import { entry, small } from '../data.ts'

const smallBytes = Buffer.from(serialize(small(0)))
const entryBytes = Buffer.from(serialize(entry('c0', 1)))

export class PlainLmdb {
  readonly #database: Database<Buffer, number>
  readonly #size: number
  #next: number

  private constructor (database: Database<Buffer, number>, size: number) {
    this.#database = database
    this.#size = size
    this.#next = size
  }

  static async start (folder: string, size: number): Promise<PlainLmdb> {
    const database = open<Buffer, number>({ path: join(folder, `plain-${size}.mdb`), encoding: 'binary', overlappingSync: false })
    await database.batch(() => { for (let key = 0; key < size; key++) void database.put(key, entryBytes) })
    return new PlainLmdb(database, size)
  }

  async put (): Promise<void> {
    await this.#database.put(this.#next++, smallBytes)
  }

  async putMany (count: number): Promise<void> {
    await this.#database.batch(() => { for (let i = 0; i < count; i++) void this.#database.put(this.#next++, smallBytes) })
  }

  get (i: number): void {
    found(this.#database.get(this.#key(i)))
  }

  getMany (i: number, count: number): void {
    for (let k = 0; k < count; k++) found(this.#database.get(this.#key(i + k)))
  }

  getRange (i: number, count: number): void {
    const start = this.#key(i) % (this.#size - count)
    let read = 0
    for (const { value } of this.#database.getRange({ start, limit: count })) if (value.length > 0) read++
    if (read !== count) throw new Error(`${read} values, not ${count}`)
  }

  async change (i: number): Promise<void> {
    const key = this.#key(i)
    await this.#database.put(key, found(this.#database.get(key)))
  }

  async close (): Promise<void> {
    await this.#database.close()
  }

  #key (i: number): number {
    return i * 7919 % this.#size
  }
}

function found (value: Buffer | undefined): Buffer {
  if (value === undefined) throw new Error('There is no such key')
  return value
}
