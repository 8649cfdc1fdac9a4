import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Lets a body arrive for as long as its bytes keep coming. Node ends every request after REQUEST_TIMEOUT, however fast
 * it is, and has no exception; but what it ends are the requests in a list from which a parser can be taken. If a later
 * Node has none, uploads are cut at that time, and resumed.
 * @param idleMsMax milliseconds without a byte after which the connection is closed; 0: never
 */
export function allowLongBody (request: IncomingMessage, idleMsMax: number): void {
  const socket = request.socket as Socket & { parser?: { remove?: () => void } | null }
  socket.parser?.remove?.()
  if (idleMsMax === 0) return
  socket.setTimeout(idleMsMax)
  request.once('end', () => socket.setTimeout(0))
}
