import { once } from 'node:events'
import { type Socket, connect } from 'node:net'

/** A Socket.IO client over a plain TCP connection, which reads only on request. */
export interface RawSocket {
  tcp: Socket
  /** The text packets read so far, in order, without the transport's own. */
  packets: string[]
  /** Emits an event and requests an acknowledgement with this number. */
  emit: (ack: number, name: string, data?: unknown) => void
  /** Resolves with the first matching packet, received before or later. */
  wait: (matches: (packet: string) => boolean) => Promise<string>
}

export async function connectRaw (t: { teardown: (end: () => void) => void }, url: string, token: string): Promise<RawSocket> {
  const { hostname, port } = new URL(url)
  const tcp = connect(Number(port), hostname)
  t.teardown(() => { tcp.destroy() })
  await once(tcp, 'connect')
  const packets: string[] = []
  const waiting = new Set<() => void>()
  let rest = Buffer.alloc(0)
  let isOpen = false
  tcp.on('data', chunk => {
    rest = Buffer.concat([rest, chunk])
    if (!isOpen) {
      const end = rest.indexOf('\r\n\r\n')
      if (end < 0) return
      isOpen = true
      rest = rest.subarray(end + 4)
    }
    for (let frame = readFrame(rest); frame !== null; frame = readFrame(rest)) {
      rest = rest.subarray(frame.length)
      if (frame.text === '2') tcp.write(textFrame('3'))
      else packets.push(frame.text)
    }
    for (const look of waiting) look()
  })
  const wait: RawSocket['wait'] = matches => new Promise(resolve => {
    const look = () => {
      const found = packets.find(matches)
      if (found === undefined) return
      waiting.delete(look)
      resolve(found)
    }
    waiting.add(look)
    look()
  })
  tcp.write(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: ${Buffer.from('a raw client key').toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`)
  await wait(packet => packet.startsWith('0'))
  tcp.write(textFrame(`40${JSON.stringify({ token })}`))
  await wait(packet => packet.startsWith('40'))
  return { tcp, packets, wait, emit: (ack, name, data) => { tcp.write(textFrame(`42${ack}${JSON.stringify(data === undefined ? [name] : [name, data])}`)) } }
}

/** A client's text frame. A mask of zeros leaves the text as it is. */
function textFrame (text: string): Buffer {
  const body = Buffer.from(text)
  const head = body.length < 126 ? Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]) : Buffer.from([0x81, 0xfe, body.length >> 8, body.length & 255, 0, 0, 0, 0])
  return Buffer.concat([head, body])
}

function readFrame (bytes: Buffer): { text: string, length: number } | null {
  if (bytes.length < 2) return null
  const short = bytes[1]! & 127
  const start = short < 126 ? 2 : short === 126 ? 4 : 10
  if (bytes.length < start) return null
  const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  return bytes.length < start + size ? null : { text: bytes.subarray(start, start + size).toString(), length: start + size }
}
