/**
 * The folder of the data: its owner's alone, locked while it is in use, and watched, as a database that was deleted while it
 * is open would take writes that nobody can read again.
 */
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checkDatabaseFile, databaseFileIn, DataFolderError } from './database-file.ts'
import { FolderLock } from './folder-lock.ts'

/** Milliseconds between two looks at whether the folder is still there. */
const LOOK_EVERY_MS = 1_000

/** The bit of folders like /tmp, which belong to everybody. */
const STICKY = 0o1000

export class DataFolder {
  readonly path: string
  readonly databaseFile: string
  readonly #lock: FolderLock
  readonly #watch: NodeJS.Timeout
  /** Settles if the folder is deleted or replaced while it is in use. */
  readonly lost: Promise<Error>

  /** Makes the folder if need be and locks it. */
  constructor (path: string) {
    this.path = path
    this.databaseFile = databaseFileIn(path)
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 })
      closeToOthers(path)
      this.#lock = lockedAndChecked(path, this.databaseFile)
      for (const file of [this.databaseFile, `${this.databaseFile}-lock`]) if (existsSync(file)) setMode(file, 0o600)
    } catch (error) {
      if (error instanceof DataFolderError) throw error
      throw new DataFolderError('DATA_FOLDER_UNUSABLE', `the data folder ${path} cannot be used: ${(error as Error).message}`, { cause: error })
    }
    let lose: (error: Error) => void
    this.lost = new Promise(resolve => { lose = resolve })
    this.#watch = setInterval(() => {
      void this.#lock.isKept().then(isKept => {
        if (!isKept) lose(new Error(`the data folder ${path} was deleted or replaced while it was in use`))
      })
    }, LOOK_EVERY_MS).unref()
  }

  unlock (): void {
    clearInterval(this.#watch)
    this.#lock.release()
  }
}

function lockedAndChecked (path: string, databaseFile: string): FolderLock {
  const lock = new FolderLock(join(path, 'engine.lock'))
  try {
    checkDatabaseFile(databaseFile)
    return lock
  } catch (error) {
    lock.release()
    throw error
  }
}

function closeToOthers (folder: string): void {
  if ((statSync(folder).mode & STICKY) === 0) setMode(folder, 0o700)
}

/** A folder or file of somebody else's (a volume of root, used by its group) keeps its mode. */
function setMode (path: string, mode: number): void {
  try {
    chmodSync(path, mode)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
  }
}
