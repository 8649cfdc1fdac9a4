import { setTimeout as delay } from 'node:timers/promises'
import type { Socket } from 'socket.io-client'
import { person } from './people.ts'
import { connectAll, disconnectAll } from './sockets.ts'

const padding = 'x'.repeat(90)
const drainMs = 10_000

interface Pair {
  sender: Socket
  receiver: Socket
  receiverId: string
  sent: number
  received: number
  acknowledged: number
  sentAt: number[]
  acknowledgedAt: number[]
}

/** Milliseconds of every message. */
export interface Lags {
  /** From sending to receiving. */
  delivery: number[]
  /** From the acknowledgement to receiving; 0 if the message came first. */
  behind: number[]
}

/** Direct messages from a user on one node to a user on another one, or on the same. Each must come once, in order. */
export class NodesLoad {
  private readonly pairs: Pair[]
  private readonly name = Math.random().toString(36).slice(2, 8)
  private lags: Lags = { delivery: [], behind: [] }
  private failure: Error | undefined

  private constructor (pairs: Pair[]) {
    this.pairs = pairs
    for (const pair of pairs) {
      const onMessage = ({ message }: { message: string }) => { this.onReceived(pair, parseInt(message, 10)) }
      pair.receiver.on('directMessage', onMessage)
    }
  }

  /** @param first index of the first user */
  static async open (senderUrl: string, receiverUrl: string, count: number, first: number): Promise<NodesLoad> {
    const indexes = Array.from({ length: count }, (_, index) => first + 2 * index)
    const senders = await connectAll(senderUrl, indexes.map(person))
    const receivers = await connectAll(receiverUrl, indexes.map(index => person(index + 1)))
    for (const socket of receivers) await socket.emitWithAck('setupUser', { live: true })
    return new NodesLoad(indexes.map((index, number) => ({
      sender: senders[number]!,
      receiver: receivers[number]!,
      receiverId: person(index + 1).id,
      sent: 0,
      received: 0,
      acknowledged: 0,
      sentAt: [],
      acknowledgedAt: []
    })))
  }

  /** Sends so many messages a second, at fixed times. */
  async paced (perSecond: number, seconds: number): Promise<Lags & { operations: number }> {
    this.lags = { delivery: [], behind: [] }
    const start = performance.now()
    const total = Math.round(perSecond * seconds)
    for (let due = 0; due < total;) {
      for (; due < total && start + due * 1_000 / perSecond <= performance.now(); due++) {
        this.send(this.pairs[due % this.pairs.length]!)
      }
      await delay(1)
    }
    const deadline = performance.now() + drainMs
    const isOpen = ({ sent, received, acknowledged }: Pair) => received < sent || acknowledged < sent
    while (this.pairs.some(isOpen) && this.failure === undefined && performance.now() < deadline) await delay(5)
    if (this.pairs.some(isOpen)) this.failure ??= new Error('Messages are missing')
    if (this.failure !== undefined) throw this.failure
    return { ...this.lags, operations: total }
  }

  close (): void {
    for (const { sender, receiver } of this.pairs) disconnectAll([sender, receiver])
  }

  private send (pair: Pair): void {
    const number = ++pair.sent
    pair.sentAt[number] = performance.now()
    const { receiverId } = pair
    const clientMessageId = `${this.name}-${receiverId}-${number}`
    const message = { receiverId, content: `${number} ${padding}`, clientMessageId }
    pair.sender.emit('sendDirectMessage', message, ({ success, code }: { success: boolean, code?: string }) => {
      if (!success) this.failure ??= new Error(`A message was refused: ${code ?? ''}`)
      pair.acknowledged++
      pair.acknowledgedAt[number] = performance.now()
      if (pair.received >= number) this.lags.behind.push(0)
    })
  }

  private onReceived (pair: Pair, number: number): void {
    if (number !== ++pair.received) this.failure ??= new Error(`A receiver got message ${number}, not ${pair.received}`)
    const now = performance.now()
    this.lags.delivery.push(now - pair.sentAt[number]!)
    const acknowledgedAt = pair.acknowledgedAt[number]
    if (acknowledgedAt !== undefined) this.lags.behind.push(now - acknowledgedAt)
  }
}
