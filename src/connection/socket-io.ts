import { type EventEmitter, once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Adapter } from 'socket.io-adapter'
import { type ErrorCode, TidelogError, failureBody, tooLargeText } from '../errors.ts'
import { InboundQueue, type InboundLimits, type RawPacket } from './inbound-queue.ts'
import type { ChatServer, ChatSocket } from './socket-types.ts'

/**
 * The only file that uses private parts of Socket.IO and Engine.IO. test/connection/socket-io.test.ts fails if a new
 * version changes one of them; package.json pins both to their minor versions.
 *
 * Engine.IO parses a whole body of packets in one tick. Here each packet passes the connection's inbound queue first.
 */

/** An Engine.IO connection. */
export interface Connection extends EventEmitter {
  readyState: 'opening' | 'open' | 'closing' | 'closed'
  writeBuffer: unknown[]
  transport: Transport
  send: (packet: string) => void
  close: (discard?: boolean) => void
}

/** A Socket.IO connection. */
export interface Client {
  conn: Connection
  sockets: ReadonlyMap<string, unknown>
  /** Socket.IO's adapter calls this to send packets that it has encoded once for many sockets. */
  writeToEngine: (packets: RawPacket | readonly RawPacket[], options: WriteOptions) => void
}

interface WriteOptions {
  preEncoded?: boolean
  wsPreEncodedFrame?: Buffer[]
}

interface Transport extends EventEmitter {
  name: 'polling' | 'websocket'
  readyState: 'open' | 'closing' | 'closed'
  parser: Parser
  onPacket: (packet: Packet) => void
  onError: (message: string) => void
  onClose: () => void
  headers: (request: IncomingMessage, headers: Record<string, string>) => Record<string, string>
  /** Polling transports only: handles a POST. `dataReq` and `dataRes` are the one that is being answered. */
  onDataRequest?: (request: IncomingMessage, response: ServerResponse) => void
  dataReq?: IncomingMessage | null
  dataRes?: ServerResponse | null
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

/** Separates the packets in an Engine.IO body. */
const separator = '\x1e'
/**
 * A websocket reads packets up to this many times the limit, so that an acknowledgement can refuse them. Above that it
 * is closed.
 */
const readTimes = 4
/** Milliseconds that a client gets to read why it is disconnected. */
const farewellMs = 1_000
/** Socket.IO's packet type of an acknowledgement. */
const acknowledgement = 3
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

export function clientOf (socket: ChatSocket): Client {
  return socket.client as unknown as Client
}

/** Acknowledges an event that was not passed to Socket.IO. */
export function acknowledgeRaw (socket: ChatSocket, ackId: number, answer: object): void {
  (socket as unknown as { packet: (packet: object) => void }).packet({ type: acknowledgement, id: ackId, data: [answer] })
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

/** Disconnects the sockets of every namespace. */
export function disconnectAll (io: ChatServer): void {
  for (const namespace of io._nsps.values()) namespace.local.disconnectSockets(false)
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

/** Reads the body of a POST as Engine.IO would, but refuses with an answer where Engine.IO closes the connection. */
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

/** Counts the packets of a body before it parses any, and answers when they are passed on. */
function takeBody (transport: Transport, inbound: InboundQueue, body: string, pass: (data: RawPacket) => void): void {
  const request = transport.dataReq!
  const response = transport.dataRes!
  // A transport that closes cuts off its POST. This one must be answered before.
  transport.dataReq = transport.dataRes = null
  if (inbound.isEnded) {
    refuse(transport, request, response, 'VALIDATION', 'The connection is closed')
    return
  }
  const retryAfterMs = inbound.refusesMany(countPackets(body))
  if (retryAfterMs > 0) {
    refuse(transport, request, response, 'RATE_LIMITED', undefined, retryAfterMs)
    return
  }
  transport.dataReq = request
  transport.dataRes = response
  for (const packet of body.split(separator)) {
    const taken = inbound.take(packet, pass)
    if (taken !== undefined) pass(taken)
  }
  const accept = () => {
    transport.dataReq = transport.dataRes = null
    if (response.headersSent || response.destroyed) return
    response.writeHead(200, transport.headers(request, { 'Content-Type': 'text/html', 'Content-Length': '2' }))
    response.end('ok')
  }
  const idle = inbound.idle()
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

/** Answers an Engine.IO request with a failure body. The rest of the request's body is read and dropped. */
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

/** Separates packets in an Engine.IO payload, and marks the next one as a message. */
const nextPacket = '\x1e4'

/** Ids of the sockets in each room. */
export function roomsOf (io: ChatServer): ReadonlyMap<string, ReadonlySet<string>> {
  return io.of('/').adapter.rooms
}

export function socketsIn (io: ChatServer, rooms: readonly string[], except: readonly string[] = []): ChatSocket[] {
  const { adapter: { rooms: idsOf }, sockets } = io.of('/')
  const ids = new Set(rooms.flatMap(room => [...idsOf.get(room) ?? []]))
  for (const room of except) for (const id of idsOf.get(room) ?? []) ids.delete(id)
  return [...ids].flatMap(id => sockets.get(id) ?? [])
}

/** Calls back when the last socket leaves a room. Call this after the final adapter is set. */
export function onRoomDeleted (io: ChatServer, act: (room: string) => void): void {
  io.of('/').adapter.on('delete-room', act)
}

/** Does the adapter reach other nodes? Socket.IO's default in-memory adapter does not. */
export function isClustered (io: ChatServer): boolean {
  return io.of('/').adapter.serverSideEmit !== Adapter.prototype.serverSideEmit
}

/** Encodes an event as a Socket.IO packet. */
export function packetOf (name: string, payload: unknown): string {
  return `2${JSON.stringify([name, payload])}`
}

/** Writes packets to each socket in one piece. A polling client gets them as text, with separators. */
export function writePackets (sockets: readonly ChatSocket[], packets: readonly string[]): void {
  if (sockets.length === 0) return
  const text = packets.join(nextPacket)
  const options = { preEncoded: true, wsPreEncodedFrame: [frames(packets)] }
  for (const socket of sockets) clientOf(socket).writeToEngine([text], options)
}

/** Encodes packets as consecutive websocket text frames. */
function frames (packets: readonly string[]): Buffer {
  const lengths = packets.map(packet => Buffer.byteLength(packet) + 1)
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + length + headLength(length), 0))
  let at = 0
  packets.forEach((packet, index) => {
    const length = lengths[index]!
    bytes[at] = 0x81 // A final text frame.
    if (length < 126) bytes[at + 1] = length
    else if (length < 65_536) {
      bytes[at + 1] = 126
      bytes.writeUInt16BE(length, at + 2)
    } else {
      bytes[at + 1] = 127
      bytes.writeBigUInt64BE(BigInt(length), at + 2)
    }
    at += headLength(length)
    bytes[at] = 0x34 // Engine.IO's type of a message: 4.
    bytes.write(packet, at + 1)
    at += length
  })
  return bytes
}

function headLength (length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10
}
