import { createHmac } from 'node:crypto'
import { join, resolve } from 'node:path'
import fp from 'fastify-plugin'
import { type Config, takenTypes } from '../src/config.ts'
import { Blobs } from '../src/files/blobs.ts'
import type { FilesContext } from '../src/files/context.ts'
import { ensureFileIndexes, fileCollections } from '../src/files/file-row.ts'
import { sweepFiles } from '../src/files/sweep.ts'
import { readDatabaseIdentity } from '../src/log/database-identity.ts'
import { logCollections } from '../src/log/model/collections.ts'

/** Average milliseconds between two sweeps. The time varies, so that nodes which start together drift apart. */
const sweepEveryMs = 60_000

declare module 'fastify' {
  interface FastifyInstance {
    /** The context of the operations on files. */
    files: FilesContext
  }
  interface FastifyContextConfig {
    /** The route answers without a token if its query has a link's signature, which it checks itself. */
    takesLinks?: boolean
  }
}

/** Opens the folder of the files and decorates `fastify.files`; removes about every minute what nothing carries. */
export default fp(async function files (app, config: Config) {
  const { client } = app.mongo
  const db = app.mongo.db!
  const collections = fileCollections(db)
  await ensureFileIndexes(collections)
  const { cursorKey } = await readDatabaseIdentity(db)
  app.decorate('files', {
    client,
    ...collections,
    log: logCollections(db),
    blobs: new Blobs(join(resolve(config.DATA_DIR), 'files')),
    linkKey: createHmac('sha256', cursorKey).update('links to files').digest(),
    limits: {
      fileBytesMax: config.FILE_BYTES_MAX,
      userBytesMax: config.FILES_USER_BYTES_MAX,
      freeBytesMin: config.FILES_FREE_BYTES_MIN,
      isTaken: takenTypes(config)
    },
    now: Date.now
  })

  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let sweeping: Promise<void> = Promise.resolve()
  const wait = () => { timer = setTimeout(start, sweepEveryMs * (0.9 + Math.random() * 0.2)).unref() }
  const start = () => {
    sweeping = sweepFiles(app.files, { signal: stop.signal }).then(
      swept => {
        if (swept.removed > 0) app.log.info({ removed: swept.removed }, 'files removed that nothing carries')
        if (swept.failed > 0) app.log.warn(swept, 'files left to the next sweep')
      },
      (error: unknown) => { app.log.warn({ err: error }, 'sweep of the files cut short') }
    ).then(() => { if (!stop.signal.aborted) wait() })
  }
  app.addHook('onReady', async () => { wait() })
  app.addHook('onClose', async () => {
    stop.abort()
    clearTimeout(timer)
    await sweeping
  })
}, { name: 'files', dependencies: ['mongodb'] })
