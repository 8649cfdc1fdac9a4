import { createHmac } from 'node:crypto'
import { join, resolve } from 'node:path'
import fp from 'fastify-plugin'
import { type Config, takenTypes } from '../src/config.ts'
import type { FilesContext } from '../src/files/context.ts'
import { ensureFileIndexes, fileCollections } from '../src/files/file-row.ts'
import { openBlobs } from '../src/files/open-blobs.ts'
import { sweepFiles } from '../src/files/sweep.ts'
import { uploadLocks } from '../src/files/upload-locks.ts'
import { RegularJob } from '../src/lib/regular-job.ts'
import { readDatabaseIdentity } from '../src/log/database-identity.ts'
import { logCollections } from '../src/log/model/collections.ts'

/** Milliseconds between two sweeps. */
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

/**
 * Opens the folder or bucket of the files and decorates `fastify.files`; removes about every minute what nothing
 * carries.
 */
export default fp(async function files (app, { nodeId, ...config }: Config & { nodeId: string }) {
  const { client } = app.mongo
  const db = app.mongo.db!
  const collections = fileCollections(db)
  await ensureFileIndexes(collections)
  const { cursorKey } = await readDatabaseIdentity(db)
  const writing = {
    files: collections.files,
    blobs: await openBlobs(config.S3_URL, join(resolve(config.DATA_DIR), 'files')),
    nodeId: app.isSoleWriter ? undefined : nodeId,
    now: Date.now
  }
  app.decorate('files', {
    client,
    ...collections,
    ...writing,
    log: logCollections(db),
    locks: uploadLocks(writing),
    linkKey: createHmac('sha256', cursorKey).update('links to files').digest(),
    publicUrl: config.PUBLIC_URL === '' ? config.BASE_PATH : config.PUBLIC_URL,
    limits: {
      fileBytesMax: config.FILE_BYTES_MAX,
      userBytesMax: config.FILES_USER_BYTES_MAX,
      freeBytesMin: config.FILES_FREE_BYTES_MIN,
      isTaken: takenTypes(config)
    }
  })

  const sweeps = new RegularJob(sweepEveryMs, async signal => {
    try {
      await app.files.blobs.check()
      const swept = await sweepFiles(app.files, { signal })
      if (swept.removed > 0) app.log.info({ removed: swept.removed }, 'files that nothing carries were removed')
      if (swept.failed > 0) app.log.warn(swept, 'files left to the next sweep')
    } catch (error) {
      app.log.warn({ err: error }, 'sweep of the files cut short')
    }
  })
  app.addHook('onReady', async () => { sweeps.wait() })
  app.addHook('onClose', () => sweeps.close())
}, { name: 'files', dependencies: ['mongodb'] })
