/**
 * The data folder: private to its owner, locked while it is in use, and watched, because a database that was deleted
 * while it is open would accept writes that are lost.
 */
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checkDatabaseFile, databaseFileIn, DataFolderError } from './database-file.ts'
import { FolderLock } from './folder-lock.ts'

/** Milliseconds between two checks that the folder is still the same. */
const CHECK_EVERY_MS = 1_000

/** The mode bit of folders like /tmp, which all users share. */
const STICKY = 0o1000

export class DataFolder {
  readonly path: string
  readonly databaseFile: string
  readonly #lock: FolderLock
  readonly #watch: NodeJS.Timeout
  /** Resolves if the folder is deleted or replaced while it is in use. */
  readonly lost: Promise<Error>

  /** Creates the folder if it does not exist, and locks it. */
  constructor (path: string) {
    this.path = path
    this.databaseFile = databaseFileIn(path)
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 })
      makePrivate(path)
      this.#lock = lockedAndChecked(path, this.databaseFile)
      for (const file of [this.databaseFile, `${this.databaseFile}-lock`]) if (existsSync(file)) setMode(file, 0o600)
    } catch (error) {
      if (error instanceof DataFolderError) throw error
      const message = `the data folder ${path} cannot be used: ${(error as Error).message}`
      throw new DataFolderError('DATA_FOLDER_UNUSABLE', message, { cause: error })
    }
    let lose: (error: Error) => void
    this.lost = new Promise(resolve => { lose = resolve })
    this.#watch = setInterval(() => {
      void this.#lock.isKept().then(isKept => {
        if (!isKept) lose(new Error(`the data folder ${path} was deleted or replaced while it was in use`))
      })
    }, CHECK_EVERY_MS).unref()
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

function makePrivate (folder: string): void {
  if ((statSync(folder).mode & STICKY) === 0) setMode(folder, 0o700)
}

/** A folder or file of another user (such as root's volume, used by a group) keeps its mode. */
function setMode (path: string, mode: number): void {
  try {
    chmodSync(path, mode)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
  }
}
