import { mkdirSync } from 'node:fs'
import { constants, copyFile, mkdir, open, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** While this file is not older than `heldMs`, a copy is being made, and nothing is removed. */
const heldName = '.held'
const heldMs = 60_000

/** The bytes of files, each under its id in one folder. */
export class Blobs {
  readonly folder: string

  constructor (folder: string) {
    this.folder = folder
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  /** Bytes that are there; undefined: there is no such blob. */
  async size (id: string): Promise<number | undefined> {
    try {
      return (await stat(join(this.folder, id))).size
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /** Makes an empty blob; one that is there stays as it is. */
  async create (id: string): Promise<void> {
    await (await open(join(this.folder, id), 'a', 0o600)).close()
  }

  /** The first bytes, `bytesMax` at most. */
  async beginning (id: string, bytesMax: number): Promise<Buffer> {
    const file = await open(join(this.folder, id))
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytesMax), 0, bytesMax, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  }

  /** Waits until a blob and its name are on disk. */
  async sync (id: string): Promise<void> {
    for (const [path, flags] of [[join(this.folder, id), 'r+'], [this.folder, 'r']] as const) {
      const file = await open(path, flags)
      try {
        await file.sync()
      } finally {
        await file.close()
      }
    }
  }

  /** Removing it again changes nothing. */
  async remove (id: string): Promise<void> {
    await rm(join(this.folder, id), { force: true })
  }

  /**
   * Copies all blobs into a new folder, which is there when it is complete. Blobs that come meanwhile may be in it;
   * none is removed. @returns how many
   */
  async copyTo (folder: string): Promise<number> {
    const partial = `${folder}.partial`
    const hold = async () => { await writeFile(join(this.folder, heldName), '', { mode: 0o600 }) }
    await hold()
    const holding = setInterval(() => { hold().catch(() => {}) }, heldMs / 6)
    try {
      await rm(partial, { recursive: true, force: true })
      await mkdir(partial, { mode: 0o700 })
      const names = (await readdir(this.folder)).filter(name => name !== heldName)
      for (const name of names) await copyFile(join(this.folder, name), join(partial, name), constants.COPYFILE_FICLONE)
      await rename(partial, folder)
      return names.length
    } finally {
      clearInterval(holding)
      await rm(join(this.folder, heldName), { force: true })
    }
  }

  /** Is a copy being made? */
  async isHeld (): Promise<boolean> {
    try {
      return Date.now() - (await stat(join(this.folder, heldName))).mtimeMs < heldMs
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
  }

  /** Free bytes of the disk. */
  async free (): Promise<number> {
    const { bavail, bsize } = await statfs(this.folder)
    return bavail * bsize
  }
}
