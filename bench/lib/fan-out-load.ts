import { setTimeout as delay } from 'node:timers/promises'
import type { Socket } from 'socket.io-client'
import { people } from './people.ts'
import { connectAll, disconnectAll } from './sockets.ts'
import { type Latency, latencyOf } from './statistics.ts'

const drainMs = 10_000
const padding = 'x'.repeat(90)

/** A message's content names it: the sender's index, and a number from that sender. */
const contentForm = /^(\d+) (\d+) /

interface OnItsWay {
  at: number
  sender: number
  /** Sockets that do not have the message yet, plus one for the acknowledgement. */
  missing: number
}

/**
 * One room with many sockets, some of which send. A message counts when it is acknowledged and every socket of the room
 * has it. If a socket gets a message twice, not at all, or not at the next `seq`, the run ends with an error.
 */
export class FanOutLoad {
  private readonly sockets: Socket[]
  private readonly roomId: string
  /** The last seq that each socket received. Undefined before the first. */
  private readonly lastSeq: Array<number | undefined>
  private readonly received: number[]
  /** Messages sent, by sender. */
  private readonly sent: number[]
  private readonly open = new Map<string, OnItsWay>()
  private deliveries = 0
  private latencies: number[] = []
  private failure: Error | undefined
  private onDone: (sender: number) => void = () => {}

  private constructor (sockets: Socket[], roomId: string) {
    this.sockets = sockets
    this.roomId = roomId
    this.lastSeq = sockets.map(() => undefined)
    this.received = sockets.map(() => 0)
    this.sent = sockets.map(() => 0)
    for (const [index, socket] of sockets.entries()) {
      socket.on('roomMessage', (payload: { message: string, seq: number }) => { this.onReceived(index, payload) })
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

  /**
   * Each of the first `senders` sockets keeps `window` messages unfinished. An operation is one delivery to one socket.
   */
  async closedLoop (senders: number, window: number, seconds: number): Promise<{ operations: number, seconds: number, latency: Latency }> {
    this.deliveries = 0
    this.latencies = []
    const start = performance.now()
    const end = start + seconds * 1_000
    this.onDone = sender => { if (performance.now() < end && this.failure === undefined) this.send(sender) }
    for (let i = 0; i < senders * window; i++) this.send(i % senders)
    await delay(end - performance.now())
    const operations = this.deliveries
    const took = (performance.now() - start) / 1_000
    const latencies = this.latencies.slice()
    await this.drain()
    return { operations, seconds: took, latency: latencyOf(latencies) }
  }

  close (): void {
    disconnectAll(this.sockets)
  }

  private send (sender: number): void {
    const number = ++this.sent[sender]!
    const name = `${sender} ${number} `
    this.open.set(name, { at: performance.now(), sender, missing: this.sockets.length + 1 })
    const message = { roomId: this.roomId, content: `${name}${padding}`, clientMessageId: `${this.roomId}-${sender}-${number}` }
    this.sockets[sender]!.emit('sendRoomMessage', message, (body: { success: boolean }) => {
      if (body.success) this.count(name)
      else this.fail(`A message was refused: ${JSON.stringify(body)}`)
    })
  }

  private onReceived (index: number, { message, seq }: { message: string, seq: number }): void {
    const last = this.lastSeq[index]
    if (last !== undefined && seq !== last + 1) return this.fail(`Socket ${index} got seq ${seq} after ${last}`)
    this.lastSeq[index] = seq
    this.received[index]!++
    this.deliveries++
    this.count(contentForm.exec(message)?.[0] ?? message)
  }

  private count (name: string): void {
    const entry = this.open.get(name)
    if (entry === undefined) return this.fail(`Message ${name} is not on its way`)
    if (--entry.missing > 0) return
    this.latencies.push(performance.now() - entry.at)
    this.open.delete(name)
    this.onDone(entry.sender)
  }

  private async drain (): Promise<void> {
    const deadline = performance.now() + drainMs
    while (this.open.size > 0 && this.failure === undefined && performance.now() < deadline) await delay(2)
    if (this.failure !== undefined) throw this.failure
    const total = this.sent.reduce((sum, number) => sum + number, 0)
    const behind = this.received.findIndex(number => number !== total)
    if (behind >= 0) throw new Error(`Socket ${behind} has ${this.received[behind]!} of ${total} messages`)
  }

  private fail (text: string): void {
    this.failure ??= new Error(text)
  }
}
