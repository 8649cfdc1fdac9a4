import { setTimeout as delay } from 'node:timers/promises'
import { type Socket, io } from 'socket.io-client'
import type { Connection, History, LiveEvent, Message } from './history.ts'
import { leakIn } from './leaks.ts'
import type { Person } from './people.ts'

/** An acknowledgement. Undefined: none came, so the outcome is unknown. */
export interface Ack {
  success: boolean
  code?: string
  retryAfterMs?: number
  duplicate?: boolean
  rev?: number
  seq?: number
  message?: Message
}

export interface DeviceOptions {
  /** Subscribes to all conversations at once. */
  live: boolean
  rooms: readonly string[]
  common: boolean
  polling: boolean
}

const connectMsMax = 10_000
const ackMsMax = 20_000
const messageEvents = new Set(['directMessage', 'roomMessage', 'commonChatMessage', 'messageChanged'])

/** A user's device: a socket that reconnects whenever it breaks, and a record of everything that it received. */
export class Device {
  readonly name: string
  readonly person: Person
  connection: Connection | undefined
  private socket: Socket | undefined
  private places = 0
  private connections = 0
  private ended = false
  private running: Promise<void> | undefined
  private readonly url: string
  private readonly history: History
  private readonly options: DeviceOptions

  constructor (name: string, person: Person, url: string, history: History, options: DeviceOptions) {
    this.name = name
    this.person = person
    this.url = url
    this.history = history
    this.options = options
  }

  /** Connects, and reconnects whenever the connection breaks. Resolves when it is connected for the first time. */
  async start (): Promise<void> {
    await this.open()
    this.running = this.keep()
  }

  async stop (): Promise<void> {
    this.ended = true
    this.drop()
    await this.running
  }

  /** Call this before you close the device: a later disconnect is no finding. */
  release (): void {
    if (this.connection !== undefined) this.connection.released = true
  }

  get connected (): boolean {
    return this.connection !== undefined && this.socket?.connected === true
  }

  /** Ends the connection at once, without a disconnect packet. */
  drop (): void {
    const transport = (this.socket?.io.engine as unknown as { transport?: { ws?: { terminate?: () => void } } } | undefined)?.transport
    transport?.ws?.terminate?.()
    this.socket?.disconnect()
  }

  /** Emits with a callback. `place` is the number of the event among those that this device sent. */
  ask (event: string, data: unknown): { place: number, connection: string, ack: Promise<Ack | undefined> } {
    const { socket, connection } = this
    if (socket === undefined || connection === undefined || !socket.connected) return { place: 0, connection: '', ack: Promise.resolve(undefined) }
    const ack = (socket.timeout(ackMsMax).emitWithAck(event, data) as Promise<Ack>).then(
      answer => {
        if (typeof answer?.success === 'boolean') return answer
        this.history.faults.push({ at: Date.now(), what: `${event} was acknowledged with ${JSON.stringify(answer)?.slice(0, 200)}` })
        return undefined
      },
      () => undefined
    )
    return { place: ++this.places, connection: connection.id, ack }
  }

  private async keep (): Promise<void> {
    while (!this.ended) {
      const { socket } = this
      if (socket?.connected === true) await new Promise<void>(resolve => { socket.once('disconnect', () => { resolve() }) })
      if (this.ended) return
      await this.open().catch(() => delay(200))
    }
  }

  private async open (): Promise<void> {
    const { url, person, options, history } = this
    const socket = io(url, {
      auth: { token: person.token },
      transports: [options.polling ? 'polling' : 'websocket'],
      reconnection: false,
      forceNew: true,
      timeout: connectMsMax
    })
    const connection: Connection = {
      id: `${this.name}/${++this.connections}`,
      device: this.name,
      userId: person.id,
      since: new Map(),
      live: false,
      openedAt: Date.now(),
      closedAt: Infinity,
      released: false,
      resyncAt: Infinity,
      events: []
    }
    socket.onAny((name: string, payload: unknown) => { this.record(connection, name, payload) })
    socket.once('disconnect', () => {
      if (connection.released) return
      connection.closedAt = Date.now()
      if (this.connection === connection) this.connection = undefined
    })
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve)
        socket.once('connect_error', reject)
        setTimeout(reject, connectMsMax, new Error('no connection')).unref()
      })
      history.connections.push(connection)
      await this.enter(socket, connection)
    } catch (error) {
      socket.disconnect()
      throw error
    }
    this.socket = socket
    this.connection = connection
  }

  /** Subscribes to the device's conversations. Everything after the acknowledgement must arrive. */
  private async enter (socket: Socket, connection: Connection): Promise<void> {
    const { options, history, person } = this
    const asked = socket.timeout(connectMsMax)
    const setup = await asked.emitWithAck('setupUser', options.live ? { live: true } : {}) as { success?: boolean, heads?: Record<string, unknown> }
    const heads = options.live ? setup.heads : undefined
    connection.live = heads !== undefined
    if (options.live && heads === undefined) history.absent.add('live')
    const now = () => Date.now()
    for (const [conversationId, members] of history.members) {
      if (conversationId.startsWith('dm_') && members.has(person.id)) connection.since.set(conversationId, now())
    }
    for (const conversationId of Object.keys(heads ?? {})) connection.since.set(conversationId, now())
    for (const roomId of options.rooms) {
      const joined = await asked.emitWithAck('joinRoom', roomId) as Ack
      if (joined.success) connection.since.set(`room_${roomId}`, now())
    }
    if (!options.common) return
    const joined = await asked.emitWithAck('joinCommonChat', {}) as Ack
    if (joined.success) connection.since.set('common_chat', now())
  }

  private record (connection: Connection, name: string, payload: unknown): void {
    const at = Date.now()
    if (name === 'resync') connection.resyncAt = Math.min(connection.resyncAt, at)
    const fields = (payload ?? {}) as Partial<Message> & { userId?: string }
    if (typeof fields.conversationId !== 'string') return
    const isMessage = messageEvents.has(name)
    const event: LiveEvent = {
      at,
      name,
      conversationId: fields.conversationId,
      rev: typeof fields.rev === 'number' ? fields.rev : 0,
      seq: typeof fields.seq === 'number' ? fields.seq : 0,
      messageId: isMessage ? fields._id ?? '' : '',
      userId: fields.userId ?? ''
    }
    connection.events.push(event)
    if (isMessage) this.history.see('delivered live', payload as Message, at)
    const leak = leakIn(JSON.stringify(payload))
    if (leak !== undefined) this.history.leaks.push(`${name} to user ${this.person.id} carries ${leak}`)
  }
}
