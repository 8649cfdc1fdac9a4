// A process that takes the lock of a folder when it reads a line, tells how that went, and holds it until it is killed.
import { once } from 'node:events'
import { join } from 'node:path'
import { FolderLock } from '../../src/host/folder-lock.ts'

console.log('ready')
await once(process.stdin, 'data')
try {
  const lock = new FolderLock(join(process.argv[2]!, 'engine.lock'))
  console.log('taken')
  setInterval(() => { void lock }, 2 ** 30)
} catch (error) {
  console.log((error as { code?: string }).code)
  process.exit()
}
