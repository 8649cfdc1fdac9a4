import { type Socket, io } from 'socket.io-client'
import type { History } from '../history.ts'
import { leakIn } from '../leaks.ts'
import type { Person } from '../people.ts'
import { matches } from './sheet.ts'

// Answers and events of whatever form: the scenes look at what they need.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Payload = any

export interface Heard {
  name: string
  payload: Payload
}

const connectMsMax = 10_000
const ackMsMax = 15_000

/** A plain socket of somebody, which remembers what came over it and never connects again. */
export class Phone {
  readonly person: Person
  readonly socket: Socket
  readonly heard: Heard[] = []
  /** The reason for which it was disconnected. */
  gone: string | undefined
  private readonly waiting = new Set<() => void>()
  private readonly patienceMs: number

  constructor (url: string, person: Person, patienceMs: number, history: History, auth: object = { token: person.token }) {
    this.person = person
    this.patienceMs = patienceMs
    this.socket = io(url, { auth, transports: ['websocket'], reconnection: false, forceNew: true, timeout: connectMsMax })
    this.socket.onAny((name: string, payload: Payload) => {
      this.heard.push({ name, payload })
      const leak = leakIn(JSON.stringify(payload) ?? '')
      if (leak !== undefined) history.leaks.push(`${name} to user ${person.id} carries ${leak}`)
      this.look()
    })
    this.socket.on('disconnect', reason => {
      this.gone = reason
      this.look()
    })
  }

  /** @returns why it was refused; undefined: it is connected */
  async connect (): Promise<string | undefined> {
    return await new Promise(resolve => {
      this.socket.once('connect', () => { resolve(undefined) })
      this.socket.once('connect_error', error => { resolve(error.message) })
    })
  }

  /** Emits with a callback; undefined: it was not answered. */
  async ask (event: string, ...data: unknown[]): Promise<Payload> {
    return await (this.socket.timeout(ackMsMax).emitWithAck(event, ...data) as Promise<Payload>).catch(() => undefined)
  }

  /** Where it stands: what comes later is behind it. */
  get mark (): number {
    return this.heard.length
  }

  all (name: string, pattern: unknown = {}, from = 0): Payload[] {
    return this.heard.slice(from).filter(heard => heard.name === name && matches(heard.payload, pattern)).map(({ payload }) => payload as Payload)
  }

  /** The first event of this name that matches, come already or soon; undefined: none came. */
  async wait (name: string, pattern: unknown = {}, from = 0): Promise<Payload> {
    await this.until(() => this.all(name, pattern, from).length > 0)
    return this.all(name, pattern, from)[0]
  }

  /** Whether it was disconnected, or is soon. */
  async end (): Promise<boolean> {
    return await this.until(() => this.gone !== undefined)
  }

  /** Everything that was sent to it before has arrived. */
  async settle (): Promise<void> {
    await this.ask('setupUser', {})
  }

  private async until (holds: () => boolean): Promise<boolean> {
    if (holds()) return true
    return await new Promise(resolve => {
      const done = (held: boolean) => {
        clearTimeout(timer)
        this.waiting.delete(look)
        resolve(held)
      }
      const timer = setTimeout(done, this.patienceMs, false)
      const look = () => { if (holds()) done(true) }
      this.waiting.add(look)
    })
  }

  private look (): void {
    for (const look of this.waiting) look()
  }
}
