/**
 * The LMDB environment: one ordered map from byte strings to bytes. Its writer thread commits a layer in one
 * transaction and syncs it to disk before `write` resolves (no overlapping sync: committed means on disk).
 */
import { statSync } from 'node:fs'
import { open } from 'lmdb'
import type { Layer } from './layer.ts'

/** A pinned read transaction: the state of the file at one moment. It must be released with `done`. */
export interface Pin { done: () => void }

/** The part of lmdb that is used here. Its own types do not have string keys in binary order. */
interface Database {
  getBinaryFast: (key: string, options?: { transaction: Pin | undefined }) => Buffer | undefined
  lastSize: number
  getRange: (options: object) => Iterable<string>
  put: (key: string, value: Buffer) => unknown
  remove: (key: string) => unknown
  batch: (action: () => void) => Promise<boolean>
  useReadTransaction: () => Pin
  backup: (path: string, compact: boolean) => Promise<void>
  close: () => Promise<void>
}

/** A layer could not be written; LMDB is unchanged. */
export class WriteFailed extends Error {
  readonly isDiskFull: boolean

  constructor (cause: Error) {
    super(`the data could not be written: ${cause.message}`, { cause })
    // LMDB reports a short write as an input/output error.
    this.isDiskFull = /MDB_MAP_FULL|No space left|File too large|Input\/output error/i.test(cause.message)
  }
}

/** The database file was deleted or replaced: whatever is written to it is lost. */
export class FileGone extends Error {}

/** lmdb gives the reason of a failed commit in a second promise, whose rejection must be handled. */
async function reasonOf (error: Error & { commitError?: Promise<never> }): Promise<Error> {
  if (error.commitError === undefined) return error
  const late = new Promise<Error>(resolve => { setTimeout(resolve, 1_000, error).unref() })
  return await Promise.race([error.commitError.catch((reason: unknown) => reason as Error), late])
}

const MAP_BYTES = 2 ** 40
const READERS_MAX = 4_096

/** Writes byte strings directly into LMDB's key buffers. lmdb enlarges a buffer after a RangeError. */
const keyEncoder = {
  writeKey (key: string, target: Buffer, start: number): number {
    if (start + key.length > target.length) throw new RangeError('key does not fit the buffer')
    return start + target.latin1Write(key, start)
  },
  readKey: (target: Buffer, start: number, end: number): string => target.latin1Slice(start, end)
}

export type EnvironmentOptions = { path: string, sync: boolean, readOnly?: boolean }

export class Environment {
  readonly #database: Database
  readonly #path: string
  readonly #file: string

  constructor ({ path, sync, readOnly = false }: EnvironmentOptions) {
    const options = {
      path,
      noSubdir: true,
      encoding: 'binary',
      keyEncoder,
      overlappingSync: false,
      eventTurnBatching: false,
      noSync: !sync,
      maxReaders: READERS_MAX,
      readOnly,
      permissionsMode: 0o600,
      // Windows reserves the whole map on disk at once. There the map grows by itself.
      ...(process.platform === 'win32' ? {} : { mapSize: MAP_BYTES })
    }
    this.#database = open(options as unknown as Parameters<typeof open>[0]) as unknown as Database
    this.#path = path
    this.#file = fileAt(path)
  }

  /** @throws FileGone if the file was deleted or replaced */
  requireFile (): void {
    if (fileAt(this.#path) === this.#file) return
    throw new FileGone(`the database file ${this.#path} was deleted or replaced while it was in use`)
  }

  /** Danger: the next read overwrites these bytes. Copy them to keep them. */
  peek (key: string, pin: Pin | undefined): Buffer | undefined {
    const bytes = pin === undefined
      ? this.#database.getBinaryFast(key)
      : this.#database.getBinaryFast(key, { transaction: pin })
    return bytes?.subarray(0, this.#database.lastSize)
  }

  /** Keys in `[lower, upper)`, ascending or, with `reverse`, descending. */
  keys (lower: string, upper: string, reverse: boolean, pin: Pin | undefined): Iterable<string> {
    const ends = reverse
      ? { start: upper, end: lower, reverse, exclusiveStart: true, inclusiveEnd: true }
      : { start: lower, end: upper }
    return this.#database.getRange({ ...ends, values: false, ...(pin === undefined ? {} : { transaction: pin }) })
  }

  /** Writes one LMDB transaction. Resolves when it is on disk, in the file that the next start opens. */
  async write (layer: Layer): Promise<void> {
    try {
      await this.#database.batch(() => {
        layer.forEachNewest((key, value) => {
          if (value === null) this.#database.remove(key)
          else this.#database.put(key, value)
        })
      })
    } catch (error) {
      throw new WriteFailed(await reasonOf(error as Error & { commitError?: Promise<never> }))
    }
    this.requireFile()
  }

  pin (): Pin {
    return this.#database.useReadTransaction()
  }

  /** Copies the state of the last commit on disk to a new file, without the free pages. */
  async backup (file: string): Promise<void> {
    await this.#database.backup(file, true)
  }

  async close (): Promise<void> {
    await this.#database.close()
  }
}

/** Identifies the file itself and not its path; empty if there is none. */
function fileAt (path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? '' : `${found.dev}/${found.ino}`
}
