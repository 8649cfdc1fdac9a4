import { createClient } from '../../src/index.ts'
import { socketTransport } from '../../src/network/socket.ts'
import { indexedDbStorage } from '../../src/storage/indexeddb.ts'
import type { OpenSocket } from '../../src/network/transport.ts'
import type { Storage } from '../../src/storage/storage.ts'

interface ProgramOptions {
  isOffline?: boolean
  /** Told of every call before it is made. */
  onCall?: (method: string, headers: Headers) => void
}

/** A program that can end at any moment: nothing that it does afterwards reaches the disk or the network. */
export function program (
  url: string, name: string, { isOffline = false, onCall = () => {} }: ProgramOptions = {}
) {
  let isDead = false
  const never = new Promise<never>(() => {})
  const disk = indexedDbStorage({ name })
  const storage: Storage = {
    ...disk,
    open: async userId => {
      const account = await disk.open(userId)
      return {
        load: () => account.load(),
        rows: (...given) => account.rows(...given),
        count: () => account.count(),
        file: key => account.file(key),
        commit: batch => isDead ? never : account.commit(batch),
        takeOver: () => account.takeOver(),
        clear: () => account.clear(),
        close: () => { account.close() }
      }
    }
  }
  const sockets: OpenSocket[] = []
  const transport = socketTransport()
  const client = createClient({
    url,
    storage,
    socket: {
      open: async options => {
        const socket = isDead ? await never : await transport.open(options)
        sockets.push(socket)
        return socket
      }
    },
    fetch: async (...given) => {
      if (isOffline) throw new TypeError('fetch failed')
      onCall(given[1]?.method ?? 'GET', new Headers(given[1]?.headers))
      const answer = isDead ? never : await fetch(...given)
      // It may end between the server's answer and its own hearing of it.
      return isDead ? await never : answer
    }
  })
  return {
    client,
    kill: () => {
      isDead = true
      for (const socket of sockets) socket.close()
    }
  }
}
