// A storage for Node: memory, and a file with every change that was made to it. Each is on the disk before it counts.
import { open, readFile } from 'node:fs/promises'
import { memoryStorage } from '@tidelog/client'

export async function fileStorage (path) {
  const memory = memoryStorage()
  const make = async ([userId, method, given]) => {
    if (method === 'setSession') return await memory.setSession(given)
    return await (await memory.open(userId))[method](given)
  }
  for (const line of (await readFile(path, 'utf8').catch(() => '')).split('\n')) {
    // A last line that was not written whole never counted; a change that was refused is refused again.
    try { await make(JSON.parse(line)) } catch {}
  }

  const file = await open(path, 'a', 0o600)
  let last = Promise.resolve()
  const change = (...given) => {
    const done = last.then(async () => {
      await file.appendFile(`\n${JSON.stringify(given)}`)
      await file.datasync()
      return await make(given)
    })
    last = done.catch(() => {})
    return done
  }
  return {
    session: () => memory.session(),
    setSession: session => change(null, 'setSession', session),
    open: async userId => ({
      ...await memory.open(userId),
      commit: batch => change(userId, 'commit', batch),
      takeOver: () => change(userId, 'takeOver'),
      clear: () => change(userId, 'clear')
    }),
    close: () => { last.then(() => file.close()) }
  }
}
