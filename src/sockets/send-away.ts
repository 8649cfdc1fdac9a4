import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { allSockets, closeTransport } from '../connection/socket-io.ts'
import type { ChatServer, ChatSocket } from '../connection/socket-types.ts'

/** Milliseconds between two sockets: what a server that takes them over can connect and sync. */
const msBetween = 10
/** Milliseconds that a client gets to leave by itself. */
const leaveMs = 500

/**
 * Tells every socket when to connect again, each at another time, and closes those that stay. A client of Socket.IO
 * comes back by itself if its transport closes, and does not after a disconnect by the server.
 * @param spreadMsMax the time over which the sockets go, at most
 * @returns the number of sockets
 */
export async function sendAway (io: ChatServer, spreadMsMax: number): Promise<number> {
  const sockets = allSockets(io)
  const spreadMs = Math.min(spreadMsMax, sockets.length * msBetween)
  await Promise.all(sockets.map(async socket => { await sendOneAway(socket, Math.round(Math.random() * spreadMs)) }))
  return sockets.length
}

async function sendOneAway (socket: ChatSocket, reconnectAfterMs: number): Promise<void> {
  socket.emit('goingAway', { reconnectAfterMs })
  const left = new AbortController()
  const { signal } = left
  const isOver = delay(reconnectAfterMs + leaveMs, undefined, { signal }).catch(() => {})
  if (socket.connected) await Promise.race([isOver, once(socket, 'disconnect', { signal }).catch(() => {})])
  left.abort()
  closeTransport(socket)
}
