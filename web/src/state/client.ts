import { createClient } from '@tidelog/client'
import { indexedDbStorage } from '@tidelog/client/indexeddb'
import { faultyFetch, faultySocket } from './faults.ts'

/** The one client of this page. It keeps what it knows on the device; the fault drawer can disturb its connection. */
export const client = createClient({ storage: indexedDbStorage(), socket: faultySocket(), fetch: faultyFetch })
