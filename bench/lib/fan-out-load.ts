import { setTimeout as delay } from 'node:timers/promises'
import type { Socket } from 'socket.io-client'
import { people } from './people.ts'
import { connectAll, disconnectAll } from './sockets.ts'
import { type Latency, latencyOf } from './statistics.ts'

const drainMs = 10_000
const padding = 'x'.repeat(90)

/**
 * One room, many sockets, one sender among them. A message counts when it was acknowledged and every socket of the room
 * has it; a socket that gets one twice, out of order or not at all ends the run with an error.
 */
export class FanOutLoad {
  private readonly sockets: Socket[]
  private readonly roomId: string
  private readonly received: Int32Array
  private readonly open = new Map<number, { at: number, missing: number }>()
  private sent = 0
  private deliveries = 0
  private latencies: number[] = []
  private failure: Error | undefined
  private onDone: () => void = () => {}

  private constructor (sockets: Socket[], roomId: string) {
    this.sockets = sockets
    this.roomId = roomId
    this.received = new Int32Array(sockets.length)
    for (const [index, socket] of sockets.entries()) {
      socket.on('roomMessage', (payload: { message: string }) => { this.onReceived(index, parseInt(payload.message, 10)) })
      socket.on('error', body => { this.fail(`A socket was told ${JSON.stringify(body)}`) })
      socket.on('disconnect', reason => { if (reason !== 'io client disconnect') this.fail(`A socket was closed: ${reason}`) })
    }
  }

  static async open (url: string, sockets: number): Promise<FanOutLoad> {
    const all = await connectAll(url, people(sockets))
    const roomId = `bench-${Math.random().toString(36).slice(2, 8)}`
    for (const socket of all) {
      const joined = new Promise<void>(resolve => { socket.once('joinedRoom', () => { resolve() }) })
      socket.emit('joinRoom', roomId)
      await joined
    }
    return new FanOutLoad(all, roomId)
  }

  /** The sender keeps `window` messages on their way; an operation is one delivery to one socket. */
  async closedLoop (window: number, seconds: number): Promise<{ operations: number, seconds: number, latency: Latency }> {
    this.deliveries = 0
    this.latencies = []
    const start = performance.now()
    const end = start + seconds * 1_000
    this.onDone = () => { if (performance.now() < end && this.failure === undefined) this.send() }
    for (let i = 0; i < window; i++) this.send()
    await delay(end - performance.now())
    const operations = this.deliveries
    const took = (performance.now() - start) / 1_000
    const latencies = this.latencies.slice()
    const deadline = performance.now() + drainMs
    while (this.open.size > 0 && this.failure === undefined && performance.now() < deadline) await delay(2)
    if (this.failure !== undefined) throw this.failure
    const behind = this.received.findIndex(number => number !== this.sent)
    if (behind >= 0) throw new Error(`Socket ${behind} has ${this.received[behind]!} of ${this.sent} messages`)
    return { operations, seconds: took, latency: latencyOf(latencies) }
  }

  close (): void {
    disconnectAll(this.sockets)
  }

  private send (): void {
    const number = ++this.sent
    // One more than the sockets: the acknowledgement.
    this.open.set(number, { at: performance.now(), missing: this.sockets.length + 1 })
    const message = { roomId: this.roomId, content: `${number} ${padding}`, clientMessageId: `${this.roomId}-${number}` }
    this.sockets[0]!.emit('sendRoomMessage', message, (body: { success: boolean }) => {
      if (body.success) this.count(number)
      else this.fail(`A message was refused: ${JSON.stringify(body)}`)
    })
  }

  private onReceived (index: number, number: number): void {
    const expected = ++this.received[index]!
    if (number !== expected) return this.fail(`Socket ${index} got message ${number}, not ${expected}`)
    this.deliveries++
    this.count(number)
  }

  private count (number: number): void {
    const entry = this.open.get(number)
    if (entry === undefined) return this.fail(`Message ${number} is not on its way`)
    if (--entry.missing > 0) return
    this.latencies.push(performance.now() - entry.at)
    this.open.delete(number)
    this.onDone()
  }

  private fail (text: string): void {
    this.failure ??= new Error(text)
  }
}
