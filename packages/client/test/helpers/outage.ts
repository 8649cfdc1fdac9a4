import { TidelogError } from '../../src/errors.ts'
import type { SocketTransport } from '../../src/network/transport.ts'

/** A network on which nothing gets through, and which counts what is tried. */
export function outage (): { fetch: typeof globalThis.fetch, socket: SocketTransport, tried: () => number } {
  let tries = 0
  return {
    fetch: async () => {
      tries++
      throw new TypeError('fetch failed')
    },
    socket: {
      open: async () => {
        tries++
        throw new TidelogError({ code: 'OFFLINE' })
      }
    },
    tried: () => tries
  }
}
