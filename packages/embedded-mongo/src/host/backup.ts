/**
 * A copy of a data folder as it was at one commit, made while the engine runs or by another process beside it: LMDB
 * gives every reader one unmoving state of the file, and what has been acknowledged is in it. An engine started on
 * the copy is the restored one.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { chmod, open, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { DataFolderError, checkDatabaseFile, databaseFileIn } from './database-file.ts'
import { Environment } from '../store/environment.ts'

/** Copies a folder that may be in use by an engine in another process. */
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

/** The copy gets its name when it is whole and on disk: a backup that was cut short is not mistaken for one. */
export async function backupInto (to: string, copy: (file: string) => Promise<void>): Promise<void> {
  const folder = resolve(to)
  const file = databaseFileIn(folder)
  if (existsSync(file)) throw new DataFolderError('DATA_FOLDER_UNUSABLE', `${file} exists; a backup does not overwrite`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const partial = join(folder, 'backup.partial')
  rmSync(partial, { recursive: true, force: true })
  // LMDB makes files that everybody may read: until that is mended, only the folder keeps them out.
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
  // A folder cannot be opened for this on Windows, and need not be.
  if (process.platform === 'win32' && !path.endsWith('.mdb')) return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
