import { setTimeout as delay } from 'node:timers/promises'
import type { Socket } from 'socket.io-client'
import { type Person, people } from './people.ts'
import { connectAll, disconnectAll } from './sockets.ts'
import { type Latency, latencyOf } from './statistics.ts'

const drainMs = 10_000
const padding = 'x'.repeat(90)

interface OnItsWay {
  /** When the message was sent or due. */
  at: number
  acknowledged: boolean
  delivered: boolean
}

interface Pair {
  sender: Socket
  receiver: Person
  sent: number
  acknowledged: number
  received: number
  /** Unfinished messages by number. The second of acknowledgement and delivery removes one. */
  open: Map<number, OnItsWay>
  onDone: () => void
}

/**
 * Direct messages between pairs of sockets. A message counts when its sender has the acknowledgement and its receiver
 * has the message. A message that arrives twice, out of order or not at all ends the run with an error.
 */
export class DirectLoad {
  private readonly pairs: Pair[]
  private readonly sockets: Socket[]
  private roundTrips: number[] = []
  private deliveries: number[] = []
  private failure: Error | undefined
  /** Separates this load's client ids from another load's on the same database. */
  private readonly name = Math.random().toString(36).slice(2, 8)

  private constructor (sockets: Socket[], persons: readonly Person[]) {
    this.sockets = sockets
    this.pairs = Array.from({ length: sockets.length / 2 }, (_, index) => {
      const pair: Pair = {
        sender: sockets[index * 2]!, receiver: persons[index * 2 + 1]!, sent: 0, acknowledged: 0, received: 0, open: new Map(), onDone: () => {}
      }
      sockets[index * 2 + 1]!.on('directMessage', (payload: { message: string }) => { this.onReceived(pair, payload.message) })
      for (const socket of [sockets[index * 2]!, sockets[index * 2 + 1]!]) {
        socket.on('error', body => { this.fail(`A socket was told ${JSON.stringify(body)}`) })
        socket.on('disconnect', reason => { if (reason !== 'io client disconnect') this.fail(`A socket was closed: ${reason}`) })
      }
      return pair
    })
  }

  static async open (url: string, pairs: number): Promise<DirectLoad> {
    const persons = people(pairs * 2)
    return new DirectLoad(await connectAll(url, persons), persons)
  }

  /**
   * Pairs whose sockets are spread over nodes: with two nodes, half of the messages go to the other one.
   * @param first index of the first user
   */
  static async openSpread (urls: readonly string[], pairs: number, first: number): Promise<DirectLoad> {
    const persons = people(first + pairs * 2).slice(first)
    const sockets: Socket[] = []
    for (const [index, person] of persons.entries()) {
      const pair = index >> 1
      const node = index % 2 === 0 ? pair : pair >> 1
      sockets.push(...await connectAll(urls[node % urls.length]!, [person]))
    }
    return new DirectLoad(sockets, persons)
  }

  /** Each pair keeps `window` messages unfinished for `seconds`. */
  async closedLoop (window: number, seconds: number): Promise<{ operations: number, seconds: number, latency: Latency }> {
    this.reset()
    const start = performance.now()
    const end = start + seconds * 1_000
    for (const pair of this.pairs) {
      pair.onDone = () => { if (performance.now() < end && this.failure === undefined) this.send(pair, performance.now()) }
      for (let i = 0; i < window; i++) this.send(pair, start)
    }
    await delay(end - performance.now())
    const operations = this.roundTrips.length
    const took = (performance.now() - start) / 1_000
    await this.drain()
    return { operations, seconds: took, latency: latencyOf(this.roundTrips.slice(0, operations)) }
  }

  /**
   * Sends `perSecond` messages over all pairs at fixed times, however slow the server is. Latency is measured from the
   * time a message was due until its receiver has it.
   */
  async paced (perSecond: number, seconds: number): Promise<{ operations: number, seconds: number, latency: Latency }> {
    this.reset()
    const start = performance.now()
    const total = Math.round(perSecond * seconds)
    for (let due = 0; due < total;) {
      for (; due < total && start + due * 1_000 / perSecond <= performance.now(); due++) this.send(this.pairs[due % this.pairs.length]!, start + due * 1_000 / perSecond)
      await delay(1)
    }
    await this.drain()
    return { operations: total, seconds: (performance.now() - start) / 1_000, latency: latencyOf(this.deliveries) }
  }

  close (): void {
    disconnectAll(this.sockets)
  }

  private send (pair: Pair, at: number): void {
    const number = ++pair.sent
    pair.open.set(number, { at, acknowledged: false, delivered: false })
    const message = { receiverId: pair.receiver.id, content: `${number} ${padding}`, clientMessageId: `${this.name}-${pair.receiver.index}-${number}` }
    pair.sender.emit('sendDirectMessage', message, (body: { success: boolean }) => {
      if (!body.success) return this.fail(`A message was refused: ${JSON.stringify(body)}`)
      pair.acknowledged++
      this.settle(pair, number, 'acknowledged')
    })
  }

  private onReceived (pair: Pair, message: string): void {
    const number = parseInt(message, 10)
    if (number !== ++pair.received) return this.fail(`A receiver got message ${number}, not ${pair.received}`)
    const entry = pair.open.get(number)
    if (entry === undefined) return this.fail(`A receiver got message ${number}, which is not on its way`)
    this.deliveries.push(performance.now() - entry.at)
    this.settle(pair, number, 'delivered')
  }

  private settle (pair: Pair, number: number, what: 'acknowledged' | 'delivered'): void {
    const entry = pair.open.get(number)
    if (entry === undefined || entry[what]) return this.fail(`Message ${number} was ${what} twice`)
    entry[what] = true
    if (!entry.acknowledged || !entry.delivered) return
    this.roundTrips.push(performance.now() - entry.at)
    pair.open.delete(number)
    pair.onDone()
  }

  private async drain (): Promise<void> {
    const deadline = performance.now() + drainMs
    while (this.pairs.some(pair => pair.open.size > 0) && this.failure === undefined && performance.now() < deadline) await delay(2)
    if (this.failure !== undefined) throw this.failure
    for (const { sent, acknowledged, received } of this.pairs) {
      if (acknowledged !== sent || received !== sent) throw new Error(`Of ${sent} messages ${acknowledged} were acknowledged and ${received} received`)
    }
  }

  private reset (): void {
    this.roundTrips = []
    this.deliveries = []
    for (const pair of this.pairs) pair.onDone = () => {}
  }

  private fail (text: string): void {
    this.failure ??= new Error(text)
  }
}
