import { createClient, memoryStorage } from '@tidelog/client'
import { indexedDbStorage } from '@tidelog/client/indexeddb'
import { databaseName } from '../../sw/shared.ts'
import { base } from '../router.ts'
import { faultyStorage, skewedClock } from './device-faults.ts'
import { hostToken, isEmbedded } from './embedded.ts'
import { faultyFetch, faultySocket } from './faults.ts'

/** Where the server is: this page's origin, and the path under which a proxy serves it. */
export const serverUrl = location.origin + base.replace(/\/$/, '')

/** Browsers may deny a frame what it would keep. */
export const storage = faultyStorage(isEmbedded ? memoryStorage() : indexedDbStorage({ name: databaseName(base) }))

/** The one client of this page. It keeps what it knows on the device; the fault drawer can disturb all that it uses. */
export const client = createClient({
  url: serverUrl,
  storage,
  ...(isEmbedded ? { auth: { getToken: hostToken } } : {}),
  socket: faultySocket({ url: location.origin, path: `${base}socket.io/` }),
  fetch: faultyFetch,
  clock: skewedClock
})
