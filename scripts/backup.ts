// `npm run backup -- DIR`: copies the embedded database, the generated secret and the files of users into a new folder,
// in use or not.
import { copyFileSync, chmodSync, existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { backupFolder } from '@tidelog/embedded-mongo'
import { readConfig } from '../src/config.ts'
import { loadDotEnv } from '../src/dot-env.ts'
import { DiskBlobs } from '../src/files/disk-blobs.ts'

process.exitCode = await main().catch((error: unknown) => {
  console.error(`No backup was made: ${(error as Error).message}`)
  return 2
})

async function main (): Promise<number> {
  const { positionals: [to, ...more] } = parseArgs({ allowPositionals: true })
  if (to === undefined || more.length > 0) throw new Error('say where it goes: npm run backup -- DIR')
  loadDotEnv()
  const { MONGODB_URL, DATA_DIR, S3_URL } = readConfig()
  if (MONGODB_URL !== '') {
    throw new Error('MONGODB_URL is set; docs/OPERATIONS.md says how a MongoDB database is backed up')
  }
  await backupFolder(DATA_DIR, to)
  const secret = join(resolve(DATA_DIR), 'jwt-secret')
  if (existsSync(secret)) {
    const copy = join(resolve(to), 'jwt-secret')
    copyFileSync(secret, copy)
    chmodSync(copy, 0o600)
  }
  // After the database: so every file that it names is there. The server removes none meanwhile.
  const files = join(resolve(DATA_DIR), 'files')
  if (existsSync(files)) await new DiskBlobs(files).copyTo(join(resolve(to), 'files'))
  if (S3_URL !== '') console.log('The bucket of the files is not copied: docs/OPERATIONS.md says how to keep it.')
  console.log(`Copied ${resolve(DATA_DIR)} to ${resolve(to)}: everything that was acknowledged before this command.`)
  return 0
}
