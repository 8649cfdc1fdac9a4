import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ErrorCode, TidelogError, failureBody, tooLargeText } from '../errors.ts'
import { Inlet, type InletLimits, type RawPacket } from './inlet.ts'
import type { ChatServer, ChatSocket } from '../live/socket-types.ts'

/**
 * Everything of Engine.IO and Socket.IO that is used and that their types do not tell. Engine.IO parses what comes in as
 * it comes, a whole body of packets in one turn of the loop: here each packet goes through the connection's inlet first.
 */

/** A connection of Engine.IO. */
export interface Connection extends EventEmitter {
  readyState: 'opening' | 'open' | 'closing' | 'closed'
  writeBuffer: unknown[]
  transport: Transport
  send: (packet: string) => void
  close: (discard?: boolean) => void
}

/** A connection of Socket.IO. */
export interface Client {
  conn: Connection
  sockets: ReadonlyMap<string, unknown>
  writeToEngine: (packets: RawPacket | readonly RawPacket[], options: { preEncoded?: boolean }) => void
}

interface Transport extends EventEmitter {
  name: 'polling' | 'websocket'
  readyState: 'open' | 'closing' | 'closed'
  parser: Parser
  onPacket: (packet: Packet) => void
  onError: (message: string) => void
  onClose: () => void
  headers: (request: IncomingMessage, headers: Record<string, string>) => Record<string, string>
  /** Of a polling transport: a POST, and the one that is being answered. */
  onDataRequest?: (request: IncomingMessage, response: ServerResponse) => void
  dataReq?: IncomingMessage | null
  dataRes?: ServerResponse | null
  /** Of a polling transport that waits for one more poll to close. */
  shouldClose?: (() => void) | null
  /** Of a websocket transport. */
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
  createTransport: (name: string, request: EngineRequest) => Transport
  ws: { options: { maxPayload: number } }
}

interface EngineRequest extends IncomingMessage {
  _query: Record<string, string | undefined>
}

/** What separates packets in a body of Engine.IO's protocol. */
const separator = '\x1e'
/** Times the packet limit that a websocket reads of a packet, to refuse it by an acknowledgement: above, it is closed. */
const readTimes = 4
/** Milliseconds for which a client is given to read why it is disconnected. */
const farewellMs = 1_000
/** Socket.IO's mark of an acknowledgement. */
const acknowledgement = 3
/** Stands for a packet that is not passed on now. */
const nothing: Packet = { type: 'nothing' }

const inlets = new WeakMap<object, Inlet>()

/** What comes in over the connection of a socket. */
export function inletOf (socket: ChatSocket): Inlet {
  return inlets.get(socket.conn)!
}

export function clientOf (socket: ChatSocket): Client {
  return socket.client as unknown as Client
}

/** Acknowledges an event that Socket.IO was not shown. */
export function acknowledgeRaw (socket: ChatSocket, ackId: number, answer: object): void {
  (socket as unknown as { packet: (packet: object) => void }).packet({ type: acknowledgement, id: ackId, data: [answer] })
}

/** Lets everything that comes in go through the inlet of its connection. */
export function guardEngine (io: ChatServer, server: EventEmitter, limits: InletLimits): void {
  const engine = io.engine as unknown as Engine
  const create = engine.createTransport.bind(engine)
  engine.createTransport = (name, request) => {
    // Forms of very old clients, which have a decoder of their own.
    delete request._query['j']
    const known = engine.clients[request._query['sid'] ?? '']
    const inlet = (known === undefined ? undefined : inlets.get(known)) ?? new Inlet(limits)
    const transport = create(name, request)
    inlets.set(transport, inlet)
    guard(transport, inlet, limits)
    return transport
  }
  engine.on('connection', (connection: Connection) => {
    const inlet = inlets.get(connection.transport)!
    inlets.set(connection, inlet)
    inlet.attach({
      read: on => {
        const { socket } = connection.transport
        if (on) socket?.resume()
        else socket?.pause()
      },
      send: packet => { connection.send(packet) },
      end: () => { end(connection) }
    })
    connection.once('close', () => { inlet.end() })
  })
  // Engine.IO opens its websocket server anew when the port is opened.
  const widen = () => { engine.ws.options.maxPayload = readTimes * limits.packetBytes }
  server.on('listening', widen)
  widen()
}

/** Closes a connection in order, and soon in any case: who floods may neither say goodbye nor poll once more. */
function end (connection: Connection): void {
  const { transport } = connection
  transport.socket?.pause()
  connection.close()
  setTimeout(() => {
    if (transport.socket !== undefined) transport.socket.terminate()
    else transport.shouldClose?.()
  }, farewellMs).unref()
}

function guard (transport: Transport, inlet: Inlet, limits: InletLimits): void {
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
      const taken = inlet.take(data, pass)
      return taken === undefined ? nothing : parser.decodePacket(taken)
    }
  }
  if (transport.onDataRequest !== undefined) {
    transport.onDataRequest = (request, response) => {
      readBody(transport, request, response, limits.packetBytes, body => { takeBody(transport, inlet, body, pass) })
    }
  }
}

/** Reads the body of a POST, as Engine.IO would, but for what it closes the connection for: that is refused. */
function readBody (transport: Transport, request: IncomingMessage, response: ServerResponse, bytesMax: number, onBody: (body: string) => void): void {
  if (transport.dataReq != null) {
    transport.onError('data request overlap from client')
    refuse(transport, request, response, 'VALIDATION', 'A connection has one POST at a time')
    return
  }
  if (request.headers['content-type'] === 'application/octet-stream') {
    refuse(transport, request, response, 'UNSUPPORTED_MEDIA_TYPE', 'Send packets as text')
    return
  }
  transport.dataReq = request
  transport.dataRes = response
  const chunks: Buffer[] = []
  let bytes = 0
  const done = () => {
    request.off('data', onData).off('end', onEnd).off('close', onClose)
  }
  const onClose = () => {
    done()
    transport.dataReq = transport.dataRes = null
    transport.onError('data request connection closed prematurely')
  }
  const onData = (chunk: Buffer) => {
    bytes += chunk.length
    chunks.push(chunk)
    if (bytes <= bytesMax) return
    done()
    transport.dataReq = transport.dataRes = null
    refuse(transport, request, response, 'TOO_LARGE', tooLargeText(bytesMax))
  }
  const onEnd = () => {
    done()
    onBody(Buffer.concat(chunks).toString())
  }
  request.on('data', onData).on('end', onEnd).on('close', onClose)
}

/** Counts the packets of a body before any of them is parsed, and answers when they have been passed on. */
function takeBody (transport: Transport, inlet: Inlet, body: string, pass: (data: RawPacket) => void): void {
  const request = transport.dataReq!
  const response = transport.dataRes!
  // A POST that belongs to the transport is cut off when that closes; this one is answered before.
  transport.dataReq = transport.dataRes = null
  if (inlet.isEnded) {
    refuse(transport, request, response, 'VALIDATION', 'The connection is closed')
    return
  }
  const retryAfterMs = inlet.refusesMany(countPackets(body))
  if (retryAfterMs > 0) {
    refuse(transport, request, response, 'RATE_LIMITED', undefined, retryAfterMs)
    return
  }
  transport.dataReq = request
  transport.dataRes = response
  for (const packet of body.split(separator)) {
    const taken = inlet.take(packet, pass)
    if (taken !== undefined) pass(taken)
  }
  const accept = () => {
    transport.dataReq = transport.dataRes = null
    if (response.headersSent || response.destroyed) return
    response.writeHead(200, transport.headers(request, { 'Content-Type': 'text/html', 'Content-Length': '2' }))
    response.end('ok')
  }
  const idle = inlet.idle()
  if (idle === undefined) accept()
  else void idle.then(accept)
}

function countPackets (body: string): number {
  let packets = 1
  for (let at = body.indexOf(separator); at >= 0; at = body.indexOf(separator, at + 1)) packets++
  return packets
}

function refuse (
  transport: Transport, request: IncomingMessage, response: ServerResponse, code: ErrorCode, message?: string, retryAfterMs?: number
): void {
  writeFailure(response, new TidelogError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs }), transport.headers(request, {}))
}

/** Answers a request of Engine.IO with a failure body. What is still to come of its own body is read and dropped. */
export function writeFailure (response: ServerResponse, error: TidelogError, headers: Record<string, string> = {}): void {
  const body = JSON.stringify(failureBody(error))
  response.writeHead(error.status, {
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    ...(error.retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000))) })
  })
  response.end(body)
}
