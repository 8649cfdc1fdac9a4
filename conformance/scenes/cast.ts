import { setTimeout as delay } from 'node:timers/promises'
import type { History } from '../history.ts'
import { type Person, directId, people } from '../people.ts'
import { type Answer, type Rest, isTransient } from '../rest.ts'
import { type Payload, Phone } from './phone.ts'
import type { Sheet } from './sheet.ts'

/** The number of names used so far. Concurrent scenes share it. */
let named = 0

export const noId = 'f'.repeat(24)

/** What the scenes of one round share: three users who know each other, a stranger, and the sheet of observations. */
export class Cast {
  readonly history: History
  readonly sheet: Sheet
  readonly rest: Rest
  readonly ada: Person
  readonly bob: Person
  readonly cid: Person
  readonly eve: Person
  /** May the scenes write to the common chat? */
  readonly common: boolean
  readonly patienceMs: number
  private readonly phones: Phone[] = []
  private readonly run: string
  private readonly registers: boolean

  constructor ({ history, sheet, rest, everybody, common, patienceMs, run, registers }: {
    history: History, sheet: Sheet, rest: Rest, everybody: readonly Person[], common: boolean, patienceMs: number, run: string, registers: boolean
  }) {
    const [ada, bob, cid, eve] = everybody
    this.history = history
    this.sheet = sheet
    this.rest = rest
    this.ada = ada!
    this.bob = bob!
    this.cid = cid!
    this.eve = eve!
    this.common = common
    this.patienceMs = patienceMs
    this.run = run
    this.registers = registers
  }

  /** A name that is not used elsewhere. */
  name (what: string): string {
    return `${what}.${this.run}.${++named}`
  }

  /** A new user. Undefined: the deployment registers nobody. */
  async somebody (): Promise<Person | undefined> {
    if (!this.registers) return undefined
    const [person] = await people(this.rest, 1, this.name('x').replaceAll('.', '-'), [])
    return person
  }

  /** Opens a socket. @throws if it is refused */
  async phone (person: Person, setup: object = {}): Promise<Phone> {
    const phone = new Phone(this.rest.url, person, this.patienceMs, this.history)
    this.phones.push(phone)
    const refused = await phone.connect()
    if (refused !== undefined) throw new Error(`${person.name} could not connect: ${refused}`)
    await phone.ask('setupUser', setup)
    return phone
  }

  /** A socket that the scene connects itself. */
  unopened (person: Person, auth?: object): Phone {
    const phone = new Phone(this.rest.url, person, this.patienceMs, this.history, auth)
    this.phones.push(phone)
    return phone
  }

  /** Calls over REST until there is a usable answer. @throws if there is none */
  async call (person: Person, method: string, path: string, body?: unknown): Promise<Answer> {
    return await this.ask(person, method, path, body)
  }

  /** Calls without a token. */
  async open (method: string, path: string, body?: unknown): Promise<Answer> {
    return await this.ask(undefined, method, path, body)
  }

  /** Opens a room of ada's with these members. */
  async room (settings: object, ...members: Person[]): Promise<{ roomId: string, conversationId: string, path: string }> {
    const { body } = await this.call(this.ada, 'POST', '/api/rooms', { name: this.name('Scene'), ...settings })
    const { roomId } = body.room as { roomId: string }
    const path = `/api/rooms/${roomId}`
    for (const { id } of members) await this.call(this.ada, 'PUT', `${path}/members/${id}`, {})
    return { roomId, conversationId: `room_${roomId}`, path }
  }

  async direct (from: Person, to: Person, content: string, more: object = {}): Promise<Payload> {
    const { body } = await this.call(from, 'POST', '/api/messages', { receiverId: to.id, content, ...more })
    return body.message
  }

  /** Syncs until there is no more: from the start, or from cursors. */
  async sync (person: Person, cursors: Record<string, string> = {}): Promise<Synced> {
    const held: Synced = { cursors: { ...cursors }, conversations: new Map() }
    for (let page = 0; page < 200; page++) {
      const { body, status, code } = await this.call(person, 'POST', '/api/sync', { cursors: held.cursors })
      if (status !== 200) throw new Error(`POST /api/sync was answered ${status} ${code}`)
      for (const one of body.conversations as Conversation[]) {
        const before = one.reset === true ? undefined : held.conversations.get(one.conversationId)
        held.cursors[one.conversationId] = one.cursor
        held.conversations.set(one.conversationId, before === undefined ? one : { ...one, reset: before.reset, changes: [...before.changes, ...one.changes], reads: [...before.reads, ...one.reads] })
      }
      if (body.hasMore !== true) return held
    }
    throw new Error('POST /api/sync says for ever that there is more')
  }

  private async ask (person: Person | undefined, method: string, path: string, body?: unknown): Promise<Answer> {
    for (let attempt = 0; attempt < 10; attempt++) {
      const answer = await this.rest.call(method, path, person?.token, body)
      if (answer !== undefined && (!isTransient(answer) || answer.status === 429)) return answer
      await delay(Math.max(300, answer?.retryAfterMs ?? 0))
    }
    throw new Error(`${method} ${path} was not answered`)
  }

  close (): void {
    for (const { socket } of this.phones) socket.disconnect()
  }
}

export interface Conversation {
  conversationId: string
  changes: Payload[]
  cursor: string
  reset?: boolean | undefined
  unreadCount: number
  unreadCountCapped?: boolean
  reads: Array<{ userId: string, seq: number }>
}

/** The changes of a sync, and its final cursors. */
export interface Synced {
  cursors: Record<string, string>
  conversations: Map<string, Conversation>
}

export const dm = (a: Person, b: Person): string => directId(a.id, b.id)

export const messagesIn = (conversation: Conversation | undefined): string[] =>
  (conversation?.changes ?? []).filter(({ kind }) => kind === 'message').map(({ message }) => String(message.message))
