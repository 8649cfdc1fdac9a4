import { setTimeout as delay } from 'node:timers/promises'
import type { Socket } from 'socket.io-client'
import { Listener } from './listener.ts'
import { people } from './people.ts'
import { connectAll, disconnectAll } from './sockets.ts'
import { type Latency, latencyOf } from './statistics.ts'

const drainMs = 10_000
const padding = 'x'.repeat(90)

/**
 * One room with many writers and more listeners. A message counts when it is acknowledged. At the end every listener
 * must have every message, each with the next `seq`.
 */
export class HotRoomLoad {
  private readonly writers: Socket[]
  private readonly listeners: Listener[] = []
  private readonly roomId = `hot-${Math.random().toString(36).slice(2, 8)}`
  private sent = 0
  private acknowledged = 0
  private latencies: number[] = []
  private failure: Error | undefined
  private isOver = true

  private constructor (writers: Socket[]) {
    this.writers = writers
    for (const socket of writers) {
      socket.on('error', body => { this.fail(`A writer was told ${JSON.stringify(body)}`) })
      socket.on('disconnect', reason => { if (reason !== 'io client disconnect') this.fail(`A writer was closed: ${reason}`) })
    }
  }

  /** The writers are members whose sockets do not get the room live. */
  static async open (url: string, writers: number, listeners: number): Promise<HotRoomLoad> {
    const all = people(writers + listeners)
    const load = new HotRoomLoad(await connectAll(url, all.slice(0, writers)))
    for (const socket of load.writers) {
      await socket.emitWithAck('joinRoom', load.roomId)
      socket.emit('leaveRoom', load.roomId)
    }
    for (const person of all.slice(writers)) load.listeners.push(await Listener.open(url, person, load.roomId, text => { load.fail(text) }))
    return load
  }

  /** Each writer keeps `window` messages unfinished. */
  async closedLoop (window: number, seconds: number): Promise<{ operations: number, seconds: number, latency: Latency }> {
    return await this.measure(seconds, () => {
      for (const writer of this.writers) for (let i = 0; i < window; i++) this.send(writer, performance.now(), true)
    })
  }

  /**
   * Sends `perSecond` messages over all writers at fixed times, however slow the server is. Latency is measured from
   * the time each was due.
   */
  async paced (perSecond: number, seconds: number): Promise<{ operations: number, seconds: number, latency: Latency }> {
    return await this.measure(seconds, start => {
      let due = 0
      const timer = setInterval(() => {
        if (this.isOver) return clearInterval(timer)
        for (; due < (performance.now() - start) * perSecond / 1_000; due++) this.send(this.writers[due % this.writers.length]!, start + due * 1_000 / perSecond, false)
      }, 1)
    })
  }

  close (): void {
    for (const listener of this.listeners) listener.close()
    disconnectAll(this.writers)
  }

  private async measure (seconds: number, begin: (start: number) => void): Promise<{ operations: number, seconds: number, latency: Latency }> {
    this.latencies = []
    this.isOver = false
    const start = performance.now()
    begin(start)
    await delay(seconds * 1_000)
    this.isOver = true
    const latencies = this.latencies.slice()
    const took = (performance.now() - start) / 1_000
    await this.drain()
    return { operations: latencies.length, seconds: took, latency: latencyOf(latencies) }
  }

  private send (writer: Socket, at: number, goesOn: boolean): void {
    const number = ++this.sent
    writer.emit('sendRoomMessage', { roomId: this.roomId, content: `${number} ${padding}`, clientMessageId: `${this.roomId}-${number}` }, (body: { success: boolean }) => {
      if (!body.success) return this.fail(`A message was refused: ${JSON.stringify(body)}`)
      this.acknowledged++
      this.latencies.push(performance.now() - at)
      if (goesOn && !this.isOver && this.failure === undefined) this.send(writer, performance.now(), true)
    })
  }

  private async drain (): Promise<void> {
    const deadline = performance.now() + drainMs
    const isDone = () => this.acknowledged === this.sent && this.listeners.every(({ received }) => received === this.sent)
    while (!isDone() && this.failure === undefined && performance.now() < deadline) await delay(5)
    if (this.failure !== undefined) throw this.failure
    if (!isDone()) throw new Error(`${this.acknowledged} of ${this.sent} messages were acknowledged; a listener has ${Math.min(...this.listeners.map(({ received }) => received))}`)
  }

  private fail (text: string): void {
    this.failure ??= new Error(text)
  }
}
