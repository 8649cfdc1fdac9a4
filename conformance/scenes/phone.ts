import { type Socket, io } from 'socket.io-client'
import type { History } from '../history.ts'
import { leakIn } from '../leaks.ts'
import type { Person } from '../people.ts'
import { matches } from './sheet.ts'

// Payloads of any form: each scene reads the fields that it needs.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Payload = any

export interface Heard {
  name: string
  payload: Payload
}

const connectMsMax = 10_000
const ackMsMax = 15_000

/** A plain socket that records its events and never reconnects. */
export class Phone {
  readonly person: Person
  readonly socket: Socket
  readonly heard: Heard[] = []
  /** The reason of its disconnect. */
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

  /** Emits with a callback. Undefined: no answer came. */
  async ask (event: string, ...data: unknown[]): Promise<Payload> {
    return await (this.socket.timeout(ackMsMax).emitWithAck(event, ...data) as Promise<Payload>).catch(() => undefined)
  }

  /** The number of events so far: later ones come after this mark. */
  get mark (): number {
    return this.heard.length
  }

  all (name: string, pattern: unknown = {}, from = 0): Payload[] {
    return this.heard.slice(from).filter(heard => heard.name === name && matches(heard.payload, pattern)).map(({ payload }) => payload as Payload)
  }

  /** The first matching event of this name, received before or soon. Undefined: none came. */
  async wait (name: string, pattern: unknown = {}, from = 0): Promise<Payload> {
    await this.until(() => this.all(name, pattern, from).length > 0)
    return this.all(name, pattern, from)[0]
  }

  /** Is it disconnected, now or soon? */
  async end (): Promise<boolean> {
    return await this.until(() => this.gone !== undefined)
  }

  /** Resolves when all events sent to it before have arrived. */
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
