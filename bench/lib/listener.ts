import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import type { Person } from './people.ts'

const upgrade = (host: string) => `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\n` +
  'Connection: Upgrade\r\nSec-WebSocket-Key: YSBiZW5jaCBsaXN0ZW5lcg==\r\nSec-WebSocket-Version: 13\r\n\r\n'
const roomMessage = Buffer.from('42["roomMessage",')
const seqField = Buffer.from('"seq":')

/**
 * A websocket client that does as little as possible with a room's events, so that one shared core can count hundreds
 * of thousands of messages a second. It checks that each has the next `seq`, and parses nothing else.
 */
export class Listener {
  /** Room messages received. */
  received = 0
  private lastSeq: number | undefined
  private readonly tcp: Socket
  private readonly onFailure: (text: string) => void
  private rest: Buffer = Buffer.alloc(0)
  private isOpen = false
  private onPacket: (text: string) => void = () => {}

  private constructor (tcp: Socket, onFailure: (text: string) => void) {
    this.tcp = tcp
    this.onFailure = onFailure
    tcp.on('data', chunk => { this.take(chunk) })
    tcp.on('close', () => { onFailure('A listener was closed') })
  }

  /** Connects and joins a room. */
  static async open (url: string, { token, index }: Person, roomId: string, onFailure: (text: string) => void): Promise<Listener> {
    const { hostname, port, host } = new URL(url)
    const tcp = connect({ host: hostname, port: Number(port), noDelay: true })
    await once(tcp, 'connect')
    const listener = new Listener(tcp, onFailure)
    tcp.write(upgrade(host))
    await listener.packet('0')
    listener.send(`40${JSON.stringify({ token, index })}`)
    await listener.packet('40')
    listener.send(`420${JSON.stringify(['joinRoom', roomId])}`)
    await listener.packet('430')
    return listener
  }

  close (): void {
    this.tcp.removeAllListeners('close')
    this.tcp.destroy()
  }

  private async packet (start: string): Promise<void> {
    await new Promise<void>(resolve => { this.onPacket = text => { if (text.startsWith(start)) resolve() } })
  }

  private send (text: string): void {
    const body = Buffer.from(text)
    const head = body.length < 126 ? [0x81, 0x80 | body.length] : [0x81, 0xfe, body.length >> 8, body.length & 255]
    this.tcp.write(Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), body])) // The zero mask leaves the text as it is.
  }

  private take (chunk: Buffer): void {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    let at = 0
    if (!this.isOpen) {
      const end = bytes.indexOf('\r\n\r\n')
      this.isOpen = end >= 0
      at = this.isOpen ? end + 4 : 0
    }
    while (this.isOpen && bytes.length >= at + 2) {
      const short = bytes[at + 1]! & 127
      const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10)
      if (bytes.length < start) break
      const end = start + (short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2)))
      if (bytes.length < end) break
      this.frame(bytes, start, end)
      at = end
    }
    this.rest = bytes.subarray(at)
  }

  private frame (bytes: Buffer, start: number, end: number): void {
    if (bytes.compare(roomMessage, 0, roomMessage.length, start, Math.min(end, start + roomMessage.length)) !== 0) {
      const text = bytes.toString('latin1', start, Math.min(end, start + 100))
      if (text === '2') this.send('3')
      else this.onPacket(text)
      return
    }
    let seq = 0
    for (let at = bytes.indexOf(seqField, start) + seqField.length; bytes[at]! >= 48 && bytes[at]! <= 57; at++) seq = seq * 10 + bytes[at]! - 48
    if (this.lastSeq !== undefined && seq !== this.lastSeq + 1) this.onFailure(`A listener got seq ${seq} after ${this.lastSeq}`)
    this.lastSeq = seq
    this.received++
  }
}
