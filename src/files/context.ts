import type { Locker } from '@tus/server'
import type { MongoClient } from 'mongodb'
import type { LogCollections } from '../log/model/collections.ts'
import type { Blobs } from './blobs.ts'
import type { FileCollections } from './file-row.ts'

/** What the operations on files work on. The plugin `files` makes it once. */
export interface FilesContext {
  client: MongoClient
  files: FileCollections['files']
  usage: FileCollections['usage']
  /** The accounts and the log say what carries a file. */
  users: FileCollections['users']
  log: Pick<LogCollections, 'heads' | 'rows'>
  blobs: Blobs
  /** Of uploads: one request at a time writes to each. */
  locks: Locker
  /** The name of this node among those on the database; undefined: it is the only one. */
  nodeId: string | undefined
  /** What the addresses of pictures begin with: the address of this server, or a path on it. */
  publicUrl: string
  /** Signs links. All nodes on a database have the same. */
  linkKey: Buffer
  limits: {
    /** Bytes of one file. */
    fileBytesMax: number
    /** Bytes of all files of a user. */
    userBytesMax: number
    /** Bytes of the disk that files leave free. */
    freeBytesMin: number
    /** The media types that are taken. */
    isTaken: (type: string) => boolean
  }
  /** Milliseconds since 1970. */
  now: () => number
}
