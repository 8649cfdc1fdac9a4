/** Starts the engine in a thread of its own and returns its address. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { backupInto } from './host/backup.ts'
import { DataFolder } from './host/data-folder.ts'
import { EngineThread } from './host/thread.ts'

export { backupFolder } from './host/backup.ts'
export { DataFolderError } from './host/database-file.ts'

export type EmbeddedMongoOptions = ({
  /** The data folder, created if it does not exist. Only one process may use it. */
  dataDir: string
} | {
  /** Uses a temporary folder without syncing to disk, and removes it at `stop`. */
  inMemory: true
}) & {
  /** Serve TCP on 127.0.0.1 for other processes, instead of a socket in the folder; 0 takes any free port. */
  port?: number
}

export type EmbeddedMongo = {
  /** Complete, for `new MongoClient(uri)`. */
  readonly uri: string
  /** Answers the running commands, waits until their writes are on disk, closes. */
  readonly stop: () => Promise<void>
  /** Copies everything acknowledged so far, as of one commit, into a folder. An engine can be started on the copy. */
  readonly backup: (folder: string) => Promise<void>
  /** Resolves if the engine's thread dies by itself or its folder is deleted. No command is answered afterwards. */
  readonly failed: Promise<Error>
}

/** A socket address has 104 bytes on the BSDs and macOS, the final zero included. */
const SOCKET_PATH_BYTES_MAX = 103

export async function startEmbeddedMongo (options: EmbeddedMongoOptions): Promise<EmbeddedMongo> {
  const temporary = 'inMemory' in options ? mkdtempSync(join(tmpdir(), 'embedded-mongo-')) : undefined
  const folder = new DataFolder(resolve(temporary ?? (options as { dataDir: string }).dataDir))
  const socket = options.port === undefined ? socketFor(folder.path) : undefined
  const release = () => {
    if (socket !== undefined) {
      rmSync(dirname(socket) === folder.path ? socket : dirname(socket), { recursive: true, force: true })
    }
    folder.unlock()
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true })
  }
  try {
    const listen = socket === undefined ? { port: options.port ?? 0 } : { path: socket }
    const thread = new EngineThread({ databaseFile: folder.databaseFile, sync: temporary === undefined, listen })
    void folder.lost.then(error => thread.abort(error))
    const port = await thread.start()
    const host = socket === undefined ? `127.0.0.1:${port}` : encodeURIComponent(socket)
    return {
      uri: `mongodb://${host}/?directConnection=true`,
      failed: thread.failed,
      backup: async to => { await backupInto(to, async file => { await thread.backup(file) }) },
      stop: once(() => thread.stop().finally(release))
    }
  } catch (error) {
    release()
    throw error
  }
}

/**
 * The path of the socket: in the data folder, or in a temporary one if the data folder's path is too long; undefined if
 * the system has no unix sockets. Each start has a name of its own, so that an engine whose folder was replaced does
 * not remove another engine's socket when it ends.
 */
function socketFor (folder: string): string | undefined {
  if (process.platform === 'win32') return undefined
  const inFolder = join(folder, `mongo-${randomBytes(4).toString('hex')}.sock`)
  if (Buffer.byteLength(inFolder) > SOCKET_PATH_BYTES_MAX) return join(mkdtempSync(join(tmpdir(), 'em-')), 'mongo.sock')
  // Removes the sockets of killed processes: this process has the lock, so none of those still runs.
  for (const name of readdirSync(folder)) {
    if (/^mongo(-\w+)?\.sock$/.test(name)) rmSync(join(folder, name), { force: true })
  }
  return inFolder
}

function once (action: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined
  return () => (result ??= action())
}
