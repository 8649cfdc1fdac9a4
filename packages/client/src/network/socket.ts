import type { Socket } from 'socket.io-client'
import { TidelogError, loaded } from '../errors.ts'
import type { OpenOptions, OpenSocket, SocketTransport } from './transport.ts'

/** The code of a refused handshake, by its message. */
const refusals: Record<string, string> = {
  'Authentication error: No token provided': 'NO_TOKEN',
  'Authentication error: Invalid token': 'INVALID_TOKEN',
  'Authentication error: User not found': 'UNKNOWN_USER'
}

/**
 * Live changes over Socket.IO, which is loaded when the client connects.
 * @param options.path of the server's endpoint, if it is not `/socket.io/`
 */
export function socketTransport (options: { path?: string } = {}): SocketTransport {
  return { open: given => open(given, options) }
}

async function open (
  { url, token, transport, timeoutMs, signal, onEvent, onClose }: OpenOptions, { path }: { path?: string }
): Promise<OpenSocket> {
  const { io } = await loaded(import('socket.io-client'))
  const socket = io(url, {
    ...(path === undefined ? {} : { path }),
    auth: { token },
    transports: [transport],
    upgrade: false,
    // Whoever opened it knows better when to try again.
    reconnection: false,
    forceNew: true,
    timeout: timeoutMs
  })
  return await new Promise((resolve, reject) => {
    const abort = () => { fail(new TidelogError({ code: 'ABORTED' })) }
    const fail = (error: TidelogError) => {
      signal.removeEventListener('abort', abort)
      socket.close()
      reject(error)
    }
    signal.addEventListener('abort', abort)
    if (signal.aborted) return abort()
    socket.onAny(onEvent)
    socket.once('connect_error', error => {
      const code = refusals[error.message]
      fail(code === undefined
        ? new TidelogError({ code: 'OFFLINE', cause: error })
        : new TidelogError({ code, message: error.message, status: 401 }))
    })
    socket.once('connect', () => {
      signal.removeEventListener('abort', abort)
      socket.once('disconnect', onClose)
      resolve(opened(socket))
    })
  })
}

function opened (socket: Socket): OpenSocket {
  return {
    ask: async (event, data, timeoutMs) => {
      if (!socket.connected) throw new TidelogError({ code: 'OFFLINE' })
      try {
        return await socket.timeout(timeoutMs).emitWithAck(event, data) as unknown
      } catch (cause) {
        throw new TidelogError({ code: socket.connected ? 'TIMEOUT' : 'OFFLINE', cause })
      }
    },
    tell: (event, data) => { if (socket.connected) socket.emit(event, data) },
    close: () => { socket.close() }
  }
}
