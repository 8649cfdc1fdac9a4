import { mkdirSync } from 'node:fs'
import {
  type FileHandle, constants, copyFile, mkdir, open, readdir, rename, rm, stat, statfs, writeFile
} from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TidelogError } from '../errors.ts'
import type { Blobs } from './blobs.ts'

/** While this file is not older than `heldMs`, a copy is being made, and nothing is removed. */
const heldName = '.held'
const heldMs = 60_000
/** Of a copy that is to replace a blob. */
const copyEnding = '.copy'
/** The operating system's errors for a disk or a quota that is used up. */
const full = new Set<unknown>(['ENOSPC', 'EDQUOT'])

/** Blobs as files of one folder, each named by its id. */
export class DiskBlobs implements Blobs {
  readonly folder: string
  /** What a disk does not do says its own error. */
  readonly isUp = true

  constructor (folder: string) {
    this.folder = folder
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  async create (id: string): Promise<void> {
    await (await open(join(this.folder, id), 'a', 0o600)).close()
  }

  async size (id: string): Promise<number | undefined> {
    // On a network file system only what was opened is sure to be as another machine left it.
    const file = await this.open(id, 'r')
    if (file === undefined) return undefined
    try {
      return (await file.stat()).size
    } finally {
      await file.close()
    }
  }

  async write (
    id: string, offset: number, bytes: Readable, requireRight = async () => {}
  ): Promise<number> {
    const file = await this.open(id, 'r+')
    if (file === undefined) throw new TidelogError('NOT_FOUND')
    try {
      await requireRight()
    } catch (error) {
      await file.close()
      throw error
    }
    const stream = file.createWriteStream({ start: offset })
    try {
      await pipeline(bytes, stream)
    } catch (error) {
      const isFull = full.has((error as NodeJS.ErrnoException).code)
      throw isFull ? new TidelogError('STORAGE_FULL', undefined, { cause: error }) : error
    }
    return offset + stream.bytesWritten
  }

  /** A copy takes the blob's name. Who has opened the file before writes to what has no name any more. */
  async fence (id: string): Promise<void> {
    const path = join(this.folder, id)
    try {
      await copyFile(path, path + copyEnding, constants.COPYFILE_FICLONE)
      await rename(path + copyEnding, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  async read (id: string, start: number, end: number): Promise<Readable | undefined> {
    const file = await this.open(id, 'r')
    if (file === undefined) return undefined
    if (start < end && (await file.stat()).size >= end) return file.createReadStream({ start, end: end - 1 })
    await file.close()
    return start === end ? Readable.from([]) : undefined
  }

  async sync (id: string): Promise<boolean> {
    const blob = await this.open(id, 'r+')
    if (blob === undefined) return false
    for (const file of [blob, await open(this.folder, 'r')]) {
      try {
        await file.sync()
      } finally {
        await file.close()
      }
    }
    return true
  }

  async remove (id: string): Promise<void> {
    for (const name of [id + copyEnding, id]) await rm(join(this.folder, name), { force: true })
  }

  async * ids (): AsyncIterable<string> {
    yield * (await readdir(this.folder)).filter(isBlob)
  }

  private async open (id: string, flags: string): Promise<FileHandle | undefined> {
    try {
      return await open(join(this.folder, id), flags)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
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
      const names = (await readdir(this.folder)).filter(isBlob)
      for (const name of names) await copyFile(join(this.folder, name), join(partial, name), constants.COPYFILE_FICLONE)
      await rename(partial, folder)
      return names.length
    } finally {
      clearInterval(holding)
      await rm(join(this.folder, heldName), { force: true })
    }
  }

  async isHeld (): Promise<boolean> {
    try {
      return Date.now() - (await stat(join(this.folder, heldName))).mtimeMs < heldMs
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
  }

  async free (): Promise<number> {
    const { bavail, bsize } = await statfs(this.folder)
    return bavail * bsize
  }

  async check (): Promise<void> {}
}

const isBlob = (name: string) => /^[0-9a-f]{24}$/.test(name)
