import { setTimeout as delay } from 'node:timers/promises'
import type { Socket } from 'socket.io-client'
import { type Person, people } from './people.ts'
import { connected, openSocket } from './sockets.ts'

const usersInRoom = 50
/** Messages of whose ids some are edited. */
const editableMax = 1_000
const retryMs = 1_000
const pollMs = 25_000
const padding = 'x'.repeat(90)

export interface SoakPace {
  sockets: number
  /** Messages a second: half of them direct, half of them in rooms of 50. */
  messages: number
  edits: number
  /** Sockets that close in a second; each of them comes back. */
  comings: number
  /** Users who wait for changes by long polls. */
  polls: number
}

/**
 * What users do all day: sockets come and go, write to each other and into rooms, edit, and wait by long polls. Whoever
 * writes to whom stays the same, so nothing in the server has a reason to grow but the history.
 */
export class SoakLoad {
  readonly people: readonly Person[]
  /** Milliseconds from a send to its acknowledgement, since the last `takeLatencies`. */
  private latencies: number[] = []
  readonly counts = { messages: 0, edits: 0, events: 0, comings: 0, polls: 0 }
  /** Failures by their text. */
  readonly failures = new Map<string, number>()
  private readonly url: string
  private readonly pace: SoakPace
  private readonly sockets = new Map<number, Socket>()
  private readonly editable: Array<{ messageId: string, person: Person }> = []
  private readonly ending = new AbortController()
  private sent = 0

  constructor (url: string, pace: SoakPace) {
    this.url = url
    this.pace = pace
    this.people = people(pace.sockets)
  }

  get open (): number {
    return this.sockets.size
  }

  takeLatencies (): number[] {
    return this.latencies.splice(0)
  }

  /** Connects everybody, and begins. */
  async start (): Promise<void> {
    for (let first = 0; first < this.people.length; first += usersInRoom) {
      await Promise.all(this.people.slice(first, first + usersInRoom).map(async person => { await this.come(person) }))
    }
    const { messages, edits, comings, polls } = this.pace
    void this.every(messages, () => { this.say() })
    void this.every(edits, () => { this.edit() })
    void this.every(comings, () => { void this.goAndCome() })
    for (const person of this.people.slice(0, polls)) void this.poll(person)
  }

  stop (): void {
    this.ending.abort()
    for (const socket of this.sockets.values()) socket.disconnect()
  }

  /** Calls `act` so often in a second, at fixed times, until the end. */
  private async every (perSecond: number, act: () => void): Promise<void> {
    for (let due = performance.now(); !this.ending.signal.aborted;) {
      for (; due <= performance.now(); due += 1_000 / perSecond) act()
      await this.pause(Math.max(1, due - performance.now()))
    }
  }

  private async pause (ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.ending.signal }).catch(() => {})
  }

  private async come (person: Person): Promise<void> {
    while (!this.ending.signal.aborted) {
      const socket = openSocket(this.url, person)
      try {
        await connected(socket)
        await this.ask(socket, 'setupUser', { live: true })
        await this.ask(socket, 'joinRoom', roomOf(person))
      } catch (error) {
        if (this.ending.signal.aborted) return
        this.fail(`a socket could not come: ${(error as Error).message}`)
        socket.disconnect()
        await this.pause(retryMs)
        continue
      }
      socket.onAny(() => { this.counts.events++ })
      socket.once('disconnect', reason => {
        if (reason === 'io client disconnect') return
        this.fail(`a socket was closed: ${reason}`)
        this.sockets.delete(person.index)
        void this.come(person)
      })
      this.sockets.set(person.index, socket)
      return
    }
  }

  private async goAndCome (): Promise<void> {
    const [index, socket] = this.any() ?? []
    if (index === undefined || socket === undefined) return
    this.sockets.delete(index)
    socket.disconnect()
    await this.come(this.people[index]!)
    this.counts.comings++
  }

  private say (): void {
    const [index, socket] = this.any() ?? []
    if (index === undefined || socket === undefined) return
    const person = this.people[index]!
    const content = `${++this.sent} ${padding}`
    const clientMessageId = `soak-${this.sent}`
    const other = this.people[(index ^ 1) % this.people.length]!
    const [event, message] = this.sent % 2 === 0
      ? ['sendRoomMessage', { roomId: roomOf(person), content, clientMessageId }] as const
      : ['sendDirectMessage', { receiverId: other.id, content, clientMessageId }] as const
    const at = performance.now()
    this.ask<{ message: { _id: string } }>(socket, event, message).then(({ message }) => {
      this.latencies.push(performance.now() - at)
      this.counts.messages++
      this.editable.push({ messageId: message._id, person })
      if (this.editable.length > editableMax) this.editable.shift()
    }, (error: Error) => { this.fail(error.message) })
  }

  private edit (): void {
    const { messageId, person } = this.editable[Math.floor(Math.random() * this.editable.length)] ?? {}
    const socket = person === undefined ? undefined : this.sockets.get(person.index)
    if (socket === undefined) return
    this.ask(socket, 'editMessage', { messageId, content: `edited ${Date.now()} ${padding}` })
      .then(() => { this.counts.edits++ }, (error: Error) => { this.fail(error.message) })
  }

  private async poll ({ token }: Person): Promise<void> {
    const cursors: Record<string, string> = {}
    while (!this.ending.signal.aborted) {
      try {
        const response = await fetch(`${this.url}/api/sync`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ cursors, waitMs: pollMs }),
          signal: this.ending.signal
        })
        if (!response.ok) throw new Error(`a poll was answered ${response.status}`)
        const { conversations } = await response.json() as { conversations: Array<Record<string, string>> }
        for (const { conversationId, cursor } of conversations) cursors[conversationId!] = cursor!
        this.counts.polls++
      } catch (error) {
        if (this.ending.signal.aborted) return
        this.fail((error as Error).message)
        await this.pause(retryMs)
      }
    }
  }

  /** @throws Error if it fails. A socket that closes meanwhile answers nothing, and is no failure. */
  private async ask<T> (socket: Socket, event: string, data: unknown): Promise<T> {
    return await new Promise((resolve, reject) => {
      socket.emit(event, data, (body: T & { success: boolean, code?: string }) => {
        if (body.success) resolve(body)
        else reject(new Error(`${event} was answered ${body.code ?? 'without a code'}`))
      })
    })
  }

  private any (): [number, Socket] | undefined {
    const index = Math.floor(Math.random() * this.people.length)
    const socket = this.sockets.get(index)
    return socket === undefined ? undefined : [index, socket]
  }

  private fail (text: string): void {
    this.failures.set(text, (this.failures.get(text) ?? 0) + 1)
  }
}

function roomOf ({ index }: Person): string {
  return `soak-${Math.floor(index / usersInRoom)}`
}
