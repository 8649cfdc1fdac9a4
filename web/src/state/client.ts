import { createClient } from '@tidelog/client'
import { indexedDbStorage } from '@tidelog/client/indexeddb'
import { databaseName } from '../../sw/shared.ts'
import { base } from '../router.ts'
import { faultyStorage, skewedClock } from './device-faults.ts'
import { faultyFetch, faultySocket } from './faults.ts'

/** Where the server is: this page's origin, and the path under which a proxy serves it. */
export const serverUrl = location.origin + base.replace(/\/$/, '')

export const storage = faultyStorage(indexedDbStorage({ name: databaseName(base) }))

/** The one client of this page. It keeps what it knows on the device; the fault drawer can disturb all that it uses. */
export const client = createClient({
  url: serverUrl,
  storage,
  socket: faultySocket({ url: location.origin, path: `${base}socket.io/` }),
  fetch: faultyFetch,
  clock: skewedClock
})
