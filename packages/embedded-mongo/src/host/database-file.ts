/**
 * Checks that a file is a whole LMDB database before LMDB opens it. LMDB maps the file without checks, and to read a
 * page that is missing kills the process. The layout is liblmdb's MDB_meta, MDB_db, MDB_page and MDB_node, as the lmdb
 * package builds them (page headers of 24 bytes).
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'

export class DataFolderError extends Error {
  readonly code: 'DATA_FOLDER_LOCKED' | 'DATA_FOLDER_UNUSABLE'

  constructor (code: DataFolderError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DataFolderError'
    this.code = code
  }
}

export const databaseFileIn = (folder: string): string => join(folder, 'data.mdb')

const MAGIC = 0xBEEFC0DE
const PAGE_HEADER_BYTES = 24
const HEAD_BYTES = PAGE_HEADER_BYTES + 152
const P_BRANCH = 1
const NODE_HEADER_BYTES = 8
const F_BIGDATA = 1
const NO_ROOT = 0xFFFF_FFFF_FFFF_FFFFn

type Meta = {
  readonly pageBytes: number
  readonly roots: readonly bigint[]
  readonly lastPage: number
  readonly txnId: bigint
}

/** Throws if the file is not a database, or not a whole one. A missing or empty file is a new database. */
export function checkDatabaseFile (file: string): void {
  let handle
  try {
    handle = openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  try {
    if (fstatSync(handle).size === 0) return
    const first = readMeta(handle, 0)
    if (first === undefined) {
      const message = `${file} is not a database of this engine, or is damaged; it has not been changed`
      throw new DataFolderError('DATA_FOLDER_UNUSABLE', message)
    }
    const second = readMeta(handle, first.pageBytes)
    if (second === undefined || !isWhole(handle, first.txnId > second.txnId ? first : second)) {
      throw new DataFolderError('DATA_FOLDER_UNUSABLE', `${file} has been cut short; it has not been changed`)
    }
  } finally {
    closeSync(handle)
  }
}

function readMeta (handle: number, at: number): Meta | undefined {
  const head = Buffer.alloc(HEAD_BYTES)
  if (readSync(handle, head, 0, HEAD_BYTES, at) < HEAD_BYTES) return undefined
  if (head.readUInt32LE(PAGE_HEADER_BYTES) !== MAGIC) return undefined
  // Magic, version, address, map size; two trees (free pages, data), each with its root last; last page; transaction.
  const trees = PAGE_HEADER_BYTES + 24
  return {
    pageBytes: head.readUInt32LE(trees),
    roots: [head.readBigUInt64LE(trees + 40), head.readBigUInt64LE(trees + 88)],
    lastPage: Number(head.readBigUInt64LE(trees + 96)),
    txnId: head.readBigUInt64LE(trees + 104)
  }
}

/**
 * Free pages at the end may never have been written: a shorter file is whole too if no tree refers to a page after its
 * end.
 */
function isWhole (handle: number, meta: Meta): boolean {
  // Read after the meta page: if an engine is writing, the file grows before its meta page says so.
  const pages = Math.floor(fstatSync(handle).size / meta.pageBytes)
  if (pages > meta.lastPage) return true
  const page = Buffer.alloc(meta.pageBytes)
  const open = meta.roots.filter(root => root !== NO_ROOT).map(Number)
  let seen = 0
  for (let number = open.pop(); number !== undefined; number = open.pop()) {
    // A damaged tree may contain a circle.
    if (number >= pages || seen++ > pages) return false
    readSync(handle, page, 0, page.length, number * page.length)
    for (const { isBranch, first, count } of references(page)) {
      if (isBranch) open.push(first)
      else if (first + count > pages) return false
    }
  }
  return true
}

/** The pages that a page of a tree refers to: its children, or the pages of a large value. */
function * references (page: Buffer): Iterable<{ isBranch: boolean, first: number, count: number }> {
  const isBranch = (page.readUInt16LE(18) & P_BRANCH) !== 0
  const nodes = page.readUInt16LE(20) >> 1
  for (let index = 0; index < nodes; index++) {
    const node = PAGE_HEADER_BYTES + page.readUInt16LE(PAGE_HEADER_BYTES + 2 * index)
    const flags = page.readUInt16LE(node + 4)
    if (isBranch) {
      yield { isBranch, first: page.readUInt32LE(node) + flags * 2 ** 32, count: 1 }
    } else if ((flags & F_BIGDATA) !== 0) {
      const value = node + NODE_HEADER_BYTES + page.readUInt16LE(node + 6)
      yield { isBranch, first: Number(page.readBigUInt64LE(value)), count: Number(page.readBigUInt64LE(value + 16)) }
    }
  }
}
