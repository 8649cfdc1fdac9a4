/**
 * One process a data folder. The lock is a file that names its owner; it is taken over when the owner is dead,
 * which after `kill -9` nobody else can say. Two engines on one folder would each miss the other's writes.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { checkDatabaseFile, databaseFileIn, DataFolderError } from './database-file.ts'

/** A process that was killed is there for a moment still: one that starts in its place waits so long, in milliseconds. */
const DYING_MS_MAX = 1_000

type Owner = { pid: number, started: string, token: string }

/** Locks held by this process, since its own pid says nothing about whether a lock is its own. */
const held = new Set<string>()

export class DataFolder {
  readonly path: string
  readonly databaseFile: string
  readonly #lockFile: string
  readonly #token = randomUUID()

  /** Makes the folder if need be and locks it. */
  constructor (path: string) {
    this.path = path
    this.databaseFile = databaseFileIn(path)
    this.#lockFile = join(path, 'engine.lock')
    try {
      mkdirSync(path, { recursive: true })
      this.#lock()
      checkDatabaseFile(this.databaseFile)
    } catch (error) {
      this.unlock()
      if (error instanceof DataFolderError) throw error
      throw new DataFolderError('DATA_FOLDER_UNUSABLE', `the data folder ${path} cannot be used: ${(error as Error).message}`, { cause: error })
    }
  }

  unlock (): void {
    if (!held.delete(this.#token)) return
    if (readOwner(this.#lockFile)?.token === this.#token) unlinkSync(this.#lockFile)
  }

  #lock (): void {
    const mine = `${this.#lockFile}.${this.#token}`
    writeFileSync(mine, JSON.stringify({ pid: process.pid, started: startOf(process.pid), token: this.#token } satisfies Owner))
    const refuseAt = Date.now() + DYING_MS_MAX
    try {
      // A further round only after a dead owner's lock was moved away, or while the owner may be dying.
      while (!tryLink(mine, this.#lockFile)) {
        const owner = readOwner(this.#lockFile)
        if (owner === undefined || !isAlive(owner)) this.#moveAway(owner)
        else if (owner.pid !== process.pid && Date.now() < refuseAt) pause(20)
        else throw new DataFolderError('DATA_FOLDER_LOCKED', `the data folder ${this.path} is in use by process ${owner.pid}; one process a data folder`)
      }
      held.add(this.#token)
    } finally {
      rmSync(mine, { force: true })
    }
  }

  /** Removes a dead owner's lock, unless another starter was quicker: then its living lock is put back. */
  #moveAway (dead: Owner | undefined): void {
    const aside = `${this.#lockFile}.dead.${this.#token}`
    try {
      renameSync(this.#lockFile, aside)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw error
    }
    if (readOwner(aside)?.token !== dead?.token) tryLink(aside, this.#lockFile)
    rmSync(aside, { force: true })
  }
}

function tryLink (from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function readOwner (file: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Owner
    return typeof owner.pid === 'number' && typeof owner.token === 'string' ? owner : undefined
  } catch {
    return undefined
  }
}

function isAlive (owner: Owner): boolean {
  // A restarted container often has the same pid as its predecessor, and a process may hold this module twice.
  if (owner.pid === process.pid && owner.started === '') return held.has(owner.token)
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  // A pid is used again; a process's start time is not.
  const started = startOf(owner.pid)
  return started !== 'dead' && (owner.started === '' || started === owner.started)
}

/** Blocks the thread: the folder is locked before anything else goes on. */
function pause (ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** When a process started, in the words of the system; empty where that cannot be told, `dead` where only its entry is left. */
function startOf (pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    // Fields are counted after the command's closing bracket, as the command may hold spaces: the 3rd is the state, the 22nd the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return 'dead'
    return `${boot} ${fields[19]}`
  } catch {
    return ''
  }
}
