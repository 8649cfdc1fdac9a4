import { createClient } from '../../src/index.ts'
import { socketTransport } from '../../src/network/socket.ts'
import { indexedDbStorage } from '../../src/storage/indexeddb.ts'
import type { Client } from '../../src/types.ts'

declare global {

  var tidelog: Client
  const indexedDB: { databases: () => Promise<Array<{ name?: string }>> }
}

globalThis.tidelog = createClient({ storage: indexedDbStorage(), socket: socketTransport() })
