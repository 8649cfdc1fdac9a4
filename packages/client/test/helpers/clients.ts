import { createClient } from '../../src/index.ts'
import { socketTransport } from '../../src/network/socket.ts'
import type { Client, ClientOptions, Readable } from '../../src/types.ts'

interface Suite { teardown: (end: () => Promise<unknown>) => void }

let made = 0

/** A client of a new account, signed in and started. */
export async function newClient (t: Suite, url: string, options: ClientOptions & { live?: boolean } = {}): Promise<Client & { id: string }> {
  const { live = true, ...rest } = options
  const client = createClient({ url, ...(live ? { socket: socketTransport() } : {}), ...rest })
  t.teardown(() => client.close())
  const username = `client_${process.pid}_${made++}`
  const { id } = await client.register({ fullName: `Full ${username}`, username, email: `${username}@example.org`, password: 'password-1' })
  await client.start()
  return { ...client, id }
}

/** The first value that matches, now or later. */
export function when<T> (state: Readable<T>, matches: (value: T) => boolean): Promise<T> {
  return new Promise(resolve => {
    let end = () => {}
    let isDone = false
    end = state.subscribe(value => {
      if (isDone || !matches(value)) return
      isDone = true
      resolve(value)
      queueMicrotask(() => { end() })
    })
  })
}

export const isConnected = ({ state }: { state: string }): boolean => state === 'live' || state === 'polling'
