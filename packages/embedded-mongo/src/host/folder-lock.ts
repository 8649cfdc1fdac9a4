/**
 * The lock of a data folder: the kernel's lock on the file `engine.lock`. It ends with its holder, however that ends,
 * and works across threads and containers, where a pid means nothing. Two engines on one folder would miss each other's
 * writes. The file stays when the lock is released: if it were removed, a second process could lock a new file of the
 * same name while the first still holds the old one.
 *
 * Between machines the kernel's lock may mean nothing: a shared file system keeps locks either for all machines or for
 * each alone. So the file also names its holder until an orderly end. If another machine has left its name on such a
 * file system, the folder is refused, because this machine cannot know whether that process still runs.
 */
import {
  closeSync, constants, fchmodSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, statSync, writeSync
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { tryLock } from 'fs-native-extensions'
import { DataFolderError } from './database-file.ts'
import { isLocalFileSystem } from './file-system.ts'

/** Milliseconds to wait for the lock: a killed process keeps its files for a moment. */
const DYING_MS_MAX = 1_000
const RETRY_MS = 20

/** The byte that is locked. It lies after the text, because on Windows no one else can read a locked byte. */
const LOCKED_BYTE = 2 ** 30

/** `machine` identifies one boot of one kernel; if the system has no such id, it is the host name. */
type Holder = { readonly pid: number, readonly host: string, readonly machine: string, readonly token: string }

/** Tokens of the locks that this thread holds: to wait for one of them would be pointless. */
const heldHere = new Set<string>()

export class FolderLock {
  readonly #file: string
  readonly #handle: number
  readonly #token = randomUUID()

  /** Takes the lock. @throws DataFolderError if another process has it, or may have it. */
  constructor (file: string, isLocal = isLocalFileSystem) {
    this.#file = file
    this.#handle = openLocked(file)
    try {
      if (!isLocal(dirname(file))) refuseForeign(file, this.#handle)
      fchmodSync(this.#handle, 0o600)
      const holder: Holder = { pid: process.pid, host: hostname(), machine: machine(), token: this.#token }
      ftruncateSync(this.#handle)
      writeSync(this.#handle, JSON.stringify(holder), 0)
      // Other machines must see the holder before anything else is written.
      fsyncSync(this.#handle)
    } catch (error) {
      closeSync(this.#handle)
      throw error
    }
    heldHere.add(this.#token)
  }

  /** Is the locked file still the one in the folder? False if the folder was deleted or replaced. */
  async isKept (): Promise<boolean> {
    try {
      return parse(await readFile(this.#file, 'utf8'))?.token === this.#token
    } catch (error) {
      return !['ENOENT', 'ENOTDIR', 'ESTALE'].includes((error as NodeJS.ErrnoException).code ?? '')
    }
  }

  release (): void {
    if (!heldHere.delete(this.#token)) return
    ftruncateSync(this.#handle)
    closeSync(this.#handle)
  }
}

function openLocked (file: string): number {
  const refuseAt = Date.now() + DYING_MS_MAX
  for (;;) {
    const handle = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600)
    try {
      if (lock(file, handle) && isFileAt(file, handle)) return handle
    } catch (error) {
      closeSync(handle)
      throw error
    }
    const holder = parse(readFileSync(handle, 'utf8'))
    closeSync(handle)
    if (heldHere.has(holder?.token ?? '') || Date.now() >= refuseAt) {
      const by = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`
      const message = `the data folder ${dirname(file)} is in use by ${by}; only one process may use a data folder`
      throw new DataFolderError('DATA_FOLDER_LOCKED', message)
    }
    pause(RETRY_MS)
  }
}

function lock (file: string, handle: number): boolean {
  try {
    return tryLock(handle, LOCKED_BYTE, 1)
  } catch (error) {
    throw new DataFolderError('DATA_FOLDER_UNUSABLE',
      `the data folder ${dirname(file)} is on a file system without locks ` +
      `(${(error as NodeJS.ErrnoException).code}); use a folder on a disk of this machine`, { cause: error })
  }
}

/** A file that was removed after it was opened protects nothing. */
function isFileAt (file: string, handle: number): boolean {
  const opened = fstatSync(handle, { bigint: true })
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  return found?.ino === opened.ino && found.dev === opened.dev
}

function refuseForeign (file: string, handle: number): void {
  const last = parse(readFileSync(handle, 'utf8'))
  if (last === undefined || last.machine === machine()) return
  throw new DataFolderError('DATA_FOLDER_LOCKED',
    `process ${last.pid} on ${last.host} took the data folder ${dirname(file)} and did not release it. ` +
    'Other machines may use its file system, and this machine cannot know whether that process still runs. ' +
    `If you are sure that it does not, delete ${file} and start again`)
}

function parse (text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null
    return typeof holder?.token === 'string' ? holder as Holder : undefined
  } catch {
    return undefined
  }
}

function machine (): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return hostname()
  }
}

/** Blocks the thread: nothing else may happen before the folder is locked. */
function pause (ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
