import { type Socket, io } from 'socket.io-client'
import type { Person } from './people.ts'

/** A websocket-only client that neither reconnects nor shares its connection. */
export function openSocket (url: string, { index, token }: Person): Socket {
  return io(url, { transports: ['websocket'], forceNew: true, multiplex: false, reconnection: false, auth: { token, index } })
}

const atOnce = 50

/** Opens sockets for `people`, 50 at a time, and waits until all are connected. */
export async function connectAll (url: string, people: readonly Person[]): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let start = 0; start < people.length; start += atOnce) {
    const some = people.slice(start, start + atOnce).map(one => openSocket(url, one))
    await Promise.all(some.map(connected))
    sockets.push(...some)
  }
  return sockets
}

export function connected (socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', () => { resolve() })
    socket.once('connect_error', reject)
  })
}

export function disconnectAll (sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.disconnect()
}
