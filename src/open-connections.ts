import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

interface Connection {
  /** Requests that are not answered yet. */
  requests: Set<IncomingMessage>
  isUpgraded: boolean
}

/**
 * The connections of an HTTP server, so that closing it waits for unanswered requests only. Node's own
 * `closeIdleConnections` keeps connections on which nothing, or half of a request, was sent.
 */
export class OpenConnections {
  private readonly connections = new Map<Socket, Connection>()
  private closing = false

  constructor (server: Server) {
    server.on('connection', (socket: Socket) => {
      this.connections.set(socket, { requests: new Set(), isUpgraded: false })
      socket.once('close', () => { this.connections.delete(socket) })
    })
    server.on('request', (request, response) => { this.take(request, response) })
    server.on('upgrade', ({ socket }: IncomingMessage) => {
      const connection = this.connections.get(socket)
      if (connection !== undefined) connection.isUpgraded = true
    })
  }

  /**
   * Ends every connection without an unanswered request now, and the others when they are answered. Websockets stay
   * open.
   */
  endUnused (): void {
    this.closing = true
    for (const [socket, connection] of this.connections) this.endIfUnused(socket, connection)
  }

  /** Resolves when no websocket is left. */
  async websocketsClosed (): Promise<void> {
    await Promise.all(this.websockets().map(async socket => { if (!socket.closed) await once(socket, 'close') }))
  }

  endWebsockets (): void {
    for (const socket of this.websockets()) socket.destroy()
  }

  /** Ends all remaining connections, answered or not. */
  endAll (): void {
    for (const socket of this.connections.keys()) socket.destroy()
  }

  private websockets (): Socket[] {
    return [...this.connections].filter(([, { isUpgraded }]) => isUpgraded).map(([socket]) => socket)
  }

  private take (request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    const connection = this.connections.get(socket)
    if (connection === undefined) return
    connection.requests.add(request)
    response.once('close', () => {
      connection.requests.delete(request)
      if (this.closing) this.endIfUnused(socket, connection)
    })
  }

  private endIfUnused (socket: Socket, { requests, isUpgraded }: Connection): void {
    if (isUpgraded || [...requests].some(request => request.complete)) return
    // The rest of a half-received request may never come. An answer that is written still has to be sent.
    if (requests.size > 0) socket.destroy()
    else socket.destroySoon()
  }
}
