import { type EventEmitter, once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { InboundQueue, type InboundLimits, type RawPacket } from './inbound-queue.ts'
import { type PollingTransport, readBody, takeBody } from './polling-body.ts'
import type { ChatServer, ChatSocket } from './socket-types.ts'

/**
 * With polling-body.ts the only file that uses private parts of Engine.IO. test/connection/socket-io.test.ts fails if a
 * new version changes one of them; package.json pins it to its minor version.
 *
 * Engine.IO parses a whole body of packets in one tick. Here each packet passes the connection's inbound queue first.
 */

/** An Engine.IO connection. */
export interface Connection extends EventEmitter {
  writeBuffer: unknown[]
  transport: Transport
  send: (packet: string) => void
  close: (discard?: boolean) => void
}

interface Transport extends PollingTransport, EventEmitter {
  name: 'polling' | 'websocket'
  parser: Parser
  onPacket: (packet: Packet) => void
  onClose: () => void
  /** Polling transports only: handles a POST. */
  onDataRequest?: (request: IncomingMessage, response: ServerResponse) => void
  /** Polling transports only: set while the transport waits for one more poll before it closes. */
  shouldClose?: (() => void) | null
  /** Websocket transports only. */
  socket?: { pause: () => void, resume: () => void, terminate: () => void }
}

interface Packet {
  type: string
}

interface Parser {
  decodePacket: (data: RawPacket) => Packet
}

interface Engine extends EventEmitter {
  clients: Record<string, Connection>
  close: () => void
  createTransport: (name: string, request: EngineRequest) => Transport
  ws: { options: { maxPayload: number } }
}

interface EngineRequest extends IncomingMessage {
  _query: Record<string, string | undefined>
}

/**
 * A websocket reads packets up to this many times the limit, so that an acknowledgement can refuse them. Above that it
 * is closed.
 */
const readTimes = 4
/** Milliseconds that a client gets to read why it is disconnected. */
const farewellMs = 1_000
/** Stands for a packet that is not passed on now. */
const nothing: Packet = { type: 'nothing' }

const inboundQueues = new WeakMap<object, InboundQueue>()

/** The inbound queue of a socket's connection. */
export function inboundQueueOf (socket: ChatSocket): InboundQueue {
  return inboundQueues.get(socket.conn)!
}

/** @param conn an Engine.IO connection, or a stand-in for one */
export function setInboundQueue (conn: object, queue: InboundQueue): void {
  inboundQueues.set(conn, queue)
}

/** Sends everything that a client sends through the inbound queue of its connection. */
export function guardEngine (io: ChatServer, server: EventEmitter, limits: InboundLimits): void {
  const engine = io.engine as unknown as Engine
  const create = engine.createTransport.bind(engine)
  engine.createTransport = (name, request) => {
    // Options of very old clients, which use another decoder.
    delete request._query['j']
    const known = engine.clients[request._query['sid'] ?? '']
    const inbound = (known === undefined ? undefined : inboundQueues.get(known)) ?? new InboundQueue(limits)
    const transport = create(name, request)
    inboundQueues.set(transport, inbound)
    guard(transport, inbound, limits)
    return transport
  }
  engine.on('connection', (connection: Connection) => {
    const inbound = inboundQueues.get(connection.transport)!
    setInboundQueue(connection, inbound)
    inbound.attach({
      read: on => {
        const { socket } = connection.transport
        if (on) socket?.resume()
        else socket?.pause()
      },
      send: packet => { connection.send(packet) },
      end: () => { end(connection) }
    })
    connection.once('close', () => { inbound.end() })
  })
  // Engine.IO creates its websocket server again when the port opens.
  const widen = () => { engine.ws.options.maxPayload = readTimes * limits.packetBytes }
  server.on('listening', widen)
  widen()
}

/** Resolves when every client has read what was written to it, or is gone. */
export async function allWritten (io: ChatServer): Promise<void> {
  await Promise.all(Object.values((io.engine as unknown as Engine).clients).map(async connection => {
    if (connection.writeBuffer.length > 0) await Promise.race([once(connection, 'drain'), once(connection, 'close')])
  }))
}

/**
 * Closes all connections at once. Otherwise a polling client between two polls would keep a timer for half a minute.
 */
export function closeEngine (io: ChatServer): void {
  (io.engine as unknown as Engine).close()
}

/** Closes a connection in order, but soon: a flooding client must not delay it by a slow farewell or one more poll. */
function end (connection: Connection): void {
  const { transport } = connection
  transport.socket?.pause()
  connection.close()
  setTimeout(() => {
    if (transport.socket !== undefined) transport.socket.terminate()
    else transport.shouldClose?.()
  }, farewellMs).unref()
}

function guard (transport: Transport, inbound: InboundQueue, limits: InboundLimits): void {
  const { parser } = transport
  const pass = (data: RawPacket) => {
    const packet = parser.decodePacket(data)
    if (packet.type === 'close' && transport.name === 'polling') transport.onClose()
    else transport.emit('packet', packet)
  }
  transport.onPacket = packet => { if (packet !== nothing) transport.emit('packet', packet) }
  transport.parser = {
    ...parser,
    decodePacket: data => {
      const taken = inbound.take(data, pass)
      return taken === undefined ? nothing : parser.decodePacket(taken)
    }
  }
  if (transport.onDataRequest !== undefined) {
    transport.onDataRequest = (request, response) => {
      readBody(transport, request, response, limits.packetBytes, body => { takeBody(transport, inbound, body, pass) })
    }
  }
}

/** Open connections by transport. */
export function connectionCounts (io: ChatServer): { polling: number, websocket: number } {
  const counts = { polling: 0, websocket: 0 }
  for (const { transport } of Object.values((io.engine as unknown as Engine).clients)) counts[transport.name]++
  return counts
}
