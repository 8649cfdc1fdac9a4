import { Adapter } from 'socket.io-adapter'
import type { ChatServer, ChatSocket } from './socket-types.ts'

/**
 * The only file that touches what Socket.IO and Engine.IO do not promise. test/live/socket-io.test.ts fails when a version
 * changes what is relied on here; package.json holds both to their minor versions.
 */

/** What Socket.IO's own adapter calls to send what it has encoded once for many. */
interface Client {
  writeToEngine: (packets: string[], options: { preEncoded: true, wsPreEncodedFrame: Buffer[] }) => void
}

/** What separates packets in one payload of Engine.IO's protocol, and marks the next as a message. */
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

/** Calls back when the last socket has left a room. Asked when the adapter is the one that stays. */
export function onRoomDeleted (io: ChatServer, act: (room: string) => void): void {
  io.of('/').adapter.on('delete-room', act)
}

/** Do other nodes hear what is sent to them? The adapter in memory, which Socket.IO has by default, knows of none. */
export function isClustered (io: ChatServer): boolean {
  return io.of('/').adapter.serverSideEmit !== Adapter.prototype.serverSideEmit
}

/** An event as a packet of Socket.IO's protocol. */
export function packetOf (name: string, payload: unknown): string {
  return `2${JSON.stringify([name, payload])}`
}

/** Writes packets to each socket as one piece. A polling client gets them as text, with separators. */
export function writePackets (sockets: readonly ChatSocket[], packets: readonly string[]): void {
  if (sockets.length === 0) return
  const text = packets.join(nextPacket)
  const options = { preEncoded: true as const, wsPreEncodedFrame: [frames(packets)] }
  for (const socket of sockets) (socket.client as unknown as Client).writeToEngine([text], options)
}

/** Packets as websocket text frames one after the other. */
function frames (packets: readonly string[]): Buffer {
  const lengths = packets.map(packet => Buffer.byteLength(packet) + 1)
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + length + headLength(length), 0))
  let at = 0
  packets.forEach((packet, index) => {
    const length = lengths[index]!
    bytes[at] = 0x81 // A whole text.
    if (length < 126) bytes[at + 1] = length
    else if (length < 65_536) {
      bytes[at + 1] = 126
      bytes.writeUInt16BE(length, at + 2)
    } else {
      bytes[at + 1] = 127
      bytes.writeBigUInt64BE(BigInt(length), at + 2)
    }
    at += headLength(length)
    bytes[at] = 0x34 // Engine.IO's mark of a message: 4.
    bytes.write(packet, at + 1)
    at += length
  })
  return bytes
}

function headLength (length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10
}
