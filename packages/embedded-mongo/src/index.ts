/** Starts the engine in a thread of its own and says how to reach it. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { backupInto } from './host/backup.ts'
import { DataFolder } from './host/data-folder.ts'
import { EngineThread } from './host/thread.ts'

export { DataFolderError } from './host/database-file.ts'

export type EmbeddedMongoOptions = ({
  /** The folder of the data; made if need be. One process a folder. */
  dataDir: string
} | {
  /** A temporary folder, no sync to disk, removed at `stop`. */
  inMemory: true
}) & {
  /** Serve TCP on 127.0.0.1 instead of a socket in the folder, for other processes; 0 takes any free port. */
  port?: number
}

export type EmbeddedMongo = {
  /** For `new MongoClient(uri)`, complete. */
  readonly uri: string
  /** Answers what is running, makes it durable, closes. */
  readonly stop: () => Promise<void>
  /** Copies everything acknowledged so far, as of one commit, into a folder that an engine can be started on. */
  readonly backup: (folder: string) => Promise<void>
  /** Settles if the engine's thread dies by itself or its folder is deleted; no command is answered any more. */
  readonly failed: Promise<Error>
}

/** Longer paths do not fit a socket address (104 bytes with the final zero on the BSDs and macOS). */
const SOCKET_PATH_BYTES_MAX = 103

export async function startEmbeddedMongo (options: EmbeddedMongoOptions): Promise<EmbeddedMongo> {
  const temporary = 'inMemory' in options ? mkdtempSync(join(tmpdir(), 'embedded-mongo-')) : undefined
  const folder = new DataFolder(resolve(temporary ?? (options as { dataDir: string }).dataDir))
  const socket = options.port === undefined ? socketFor(folder.path) : undefined
  const release = () => {
    if (socket !== undefined) rmSync(dirname(socket) === folder.path ? socket : dirname(socket), { recursive: true, force: true })
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
 * Where the socket goes: into the data folder, or if that is too deep into a temporary one; none if there are no unix sockets.
 * Each start has a name of its own: an engine whose folder was replaced under it removes no other's socket as it ends.
 */
function socketFor (folder: string): string | undefined {
  if (process.platform === 'win32') return undefined
  const inFolder = join(folder, `mongo-${randomBytes(4).toString('hex')}.sock`)
  if (Buffer.byteLength(inFolder) > SOCKET_PATH_BYTES_MAX) return join(mkdtempSync(join(tmpdir(), 'em-')), 'mongo.sock')
  // Processes that were killed have left theirs; the lock says that none of them lives.
  for (const name of readdirSync(folder)) if (/^mongo(-\w+)?\.sock$/.test(name)) rmSync(join(folder, name), { force: true })
  return inFolder
}

function once (action: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined
  return () => (result ??= action())
}
