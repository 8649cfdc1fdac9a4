/**
 * Copies a data folder as of one commit, while the engine runs or from another process: LMDB gives every reader a fixed
 * state of the file with everything acknowledged so far. To restore, start an engine on the copy.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { chmod, open, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { DataFolderError, checkDatabaseFile, databaseFileIn } from './database-file.ts'
import { Environment } from '../store/environment.ts'

/** Copies a folder that an engine in another process may be using. */
export async function backupFolder (dataDir: string, to: string): Promise<void> {
  const from = databaseFileIn(resolve(dataDir))
  if (!existsSync(from)) throw new DataFolderError('DATA_FOLDER_UNUSABLE', `there is no database in ${dataDir}`)
  checkDatabaseFile(from)
  const environment = new Environment({ path: from, sync: true, readOnly: true })
  try {
    await backupInto(to, async file => { await environment.backup(file) })
  } finally {
    await environment.close()
  }
}

/**
 * The copy gets its final name when it is complete and on disk, so that no one takes an interrupted backup for a whole
 * one.
 */
export async function backupInto (to: string, copy: (file: string) => Promise<void>): Promise<void> {
  const folder = resolve(to)
  const file = databaseFileIn(folder)
  if (existsSync(file)) {
    throw new DataFolderError('DATA_FOLDER_UNUSABLE', `${file} exists already; a backup does not overwrite it`)
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const partial = join(folder, 'backup.partial')
  rmSync(partial, { recursive: true, force: true })
  // LMDB creates files that every user may read: until `chmod` below, only the folder's mode protects the copy.
  mkdirSync(partial, { mode: 0o700 })
  const copied = databaseFileIn(partial)
  try {
    await copy(copied)
    await chmod(copied, 0o600)
    await sync(copied)
    await rename(copied, file)
    await sync(folder)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

async function sync (path: string): Promise<void> {
  // Windows cannot open a folder to sync it, and does not need to.
  if (process.platform === 'win32' && !path.endsWith('.mdb')) return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
