import { Decoder, type Packet, PacketType } from 'socket.io-parser'
import type { Connection } from './engine-io.ts'
import type { RawPacket } from './inbound-queue.ts'
import type { ChatServer, ChatSocket } from './socket-types.ts'

/**
 * The only file that uses private parts of Socket.IO. test/connection/socket-io.test.ts fails if a new version changes
 * one of them; package.json pins it to its minor version.
 */

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

/** Separates packets in an Engine.IO payload, and marks the next one as a message. */
const nextPacket = '\x1e4'

/** An acknowledgement whose JSON is written already. */
export class JsonText {
  readonly text: string

  constructor (text: string) {
    this.text = text
  }
}

/** Encodes packets like Socket.IO's own encoder. It does not search them for binary data: no packet of ours has any. */
class Encoder {
  encode ({ type, nsp, id, data }: Packet): string[] {
    const place = `${type}${nsp === '/' ? '' : `${nsp},`}${id ?? ''}`
    const [first] = type === PacketType.ACK ? data as unknown[] : []
    if (first instanceof JsonText) return [`${place}[${first.text}]`]
    return [data === undefined ? place : place + JSON.stringify(data)]
  }
}

/** Socket.IO's option `parser`. */
export const parser = { Encoder, Decoder }

export function clientOf (socket: ChatSocket): Client {
  return socket.client as unknown as Client
}

/** Acknowledges an event that was not passed to Socket.IO. */
export function acknowledgeRaw (socket: ChatSocket, ackId: number, answer: object): void {
  const raw = socket as unknown as { packet: (packet: object) => void }
  raw.packet({ type: PacketType.ACK, id: ackId, data: [answer] })
}

/** Disconnects the sockets of every namespace. */
export function disconnectAll (io: ChatServer): void {
  for (const namespace of io._nsps.values()) namespace.local.disconnectSockets(false)
}

/** The sockets of this process. */
export function allSockets (io: ChatServer): ChatSocket[] {
  return [...io.of('/').sockets.values()]
}

/** Closes a socket's connection without a disconnect: its client connects again. */
export function closeTransport (socket: ChatSocket): void {
  clientOf(socket).conn.close()
}

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

/** Calls back when the first socket enters a room. */
export function onRoomCreated (io: ChatServer, act: (room: string) => void): void {
  io.of('/').adapter.on('create-room', act)
}

/** Calls back when the last socket leaves a room. */
export function onRoomDeleted (io: ChatServer, act: (room: string) => void): void {
  io.of('/').adapter.on('delete-room', act)
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
