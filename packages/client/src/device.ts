import { toOperation } from './api/operations.ts'
import type { PresenceState } from './api/presence.ts'
import type { TypingState } from './api/typing.ts'
import type { People } from './api/users.ts'
import type { Core } from './core.ts'
import { Engine } from './engine/engine.ts'
import { Leader } from './engine/leader.ts'
import { TidelogError } from './errors.ts'
import type { SocketTransport } from './network/transport.ts'
import { toPerson } from './pure/normalize.ts'
import { showRow } from './pure/view.ts'
import type { WireUser } from './pure/wire.ts'
import { Value } from './readable.ts'
import type { SessionState } from './session.ts'
import type { Storage, StoredSession } from './storage/storage.ts'
import type { CallOptions, Connection, Inspection, OwnUser } from './types.ts'

export interface DeviceOptions {
  core: Core
  url: string
  storage: Storage
  socket: SocketTransport | undefined
  tabs: boolean
  session: () => SessionState
  typing: TypingState
  presence: PresenceState
  people: People
  onUser: () => void
}

/** This client on this device: whose data is open, and who talks to the server. */
export class Device {
  readonly connection = new Value<Connection>({ state: 'offline', leads: false })
  private readonly options: DeviceOptions
  private leader: Leader | undefined
  private isStarted = false

  constructor (options: DeviceOptions) {
    this.options = options
    const { core, presence } = options
    presence.ask = async userIds => await this.leader?.ask('subscribePresence', { userIds }) as Awaited<ReturnType<typeof presence.ask>>
    core.remote = {
      tell: (event, data) => { this.leader?.connection.link?.tell(event, data) },
      loadHistory: (id, before, limit, signal) => this.leading().loadHistory(id, before, limit, signal),
      wake: () => { this.leader?.sender.wake() },
      markedRead: (id, seq) => this.leading().markedRead(id, seq)
    }
  }

  private leading (): Leader {
    if (this.leader === undefined) throw new TidelogError({ code: 'OFFLINE' })
    return this.leader
  }

  exclusively<T> (work: () => Promise<T>): Promise<T> {
    return work()
  }

  sessionChanged (_session: StoredSession | null): void {}

  /** After it, what is shown is this user's. */
  async signIn (begin: () => Promise<OwnUser>): Promise<OwnUser> {
    const user = await begin()
    await this.open(user)
    return user
  }

  async resume (): Promise<OwnUser | null> {
    const user = await this.options.session().resume()
    if (user !== null) await this.open(user)
    return user
  }

  private async open (user: OwnUser): Promise<void> {
    const { core, storage, onUser } = this.options
    if (core.engine?.userId === user.id) {
      if (this.isStarted) await this.lead()
      return
    }
    const wasStarted = this.isStarted
    await this.shut()
    onUser()
    const engine: Engine = new Engine(user.id, await storage.open(user.id), {
      onFailure: failure => { core.fail(failure) },
      onLost: () => {}
    })
    await engine.load()
    engine.users.set(user.id, { id: user.id, fullName: user.fullName, username: user.username, picture: user.picture })
    engine.changed.add(changed => {
      core.changed.call(changed)
      if (changed === 'all') return
      for (const conversationId of changed.batch.drop ?? []) core.emit('removed', { conversationId })
      for (const row of changed.news) {
        this.options.typing.heardMessage(row.conversationId, row.senderId)
        const { reads = {} } = engine.conversations.get(row.conversationId) ?? {}
        if (engine.isShown(row)) core.emit('message', showRow(row, [], { userId: engine.userId, reads, now: core.clock.now() }))
      }
    })
    core.engine = engine
    core.changed.call('all')
    if (wasStarted) await this.start()
  }

  /** Nothing of anybody is shown. */
  private async shut (): Promise<void> {
    const { core, typing } = this.options
    await this.stop()
    typing.clear()
    core.engine?.account.close()
    core.engine = undefined
    core.changed.call('all')
  }

  async start (): Promise<void> {
    if (this.options.core.engine === undefined) throw new TidelogError({ code: 'NO_SESSION' })
    this.isStarted = true
    await this.lead()
  }

  private async lead (): Promise<void> {
    (await this.makeLeader()).start()
  }

  private async makeLeader (): Promise<Leader> {
    if (this.leader !== undefined) return this.leader
    const { core, url, socket, session, presence } = this.options
    const engine = core.signedIn
    this.leader = new Leader({
      core,
      engine,
      url,
      socket,
      tokens: session().tokens,
      onState: state => { this.connection.set({ ...state, leads: true }) },
      onEvent: (name, payload) => { this.take(name, payload) },
      onLink: isOpen => { presence.connected(isOpen) }
    })
    await engine.lead()
    core.changed.call('all')
    return this.leader
  }

  private take (name: string, payload: unknown): void {
    const { typing, presence, people } = this.options
    if (name === 'typing') typing.hear(payload as Parameters<TypingState['hear']>[0])
    else if (name === 'presence') presence.hear(payload as Parameters<PresenceState['hear']>[0])
    else if (name === 'userChanged') people.learn([toPerson((payload as { user: WireUser }).user)]).catch(() => {})
  }

  async stop (): Promise<void> {
    this.isStarted = false
    const { leader } = this
    this.leader = undefined
    await leader?.stop()
    this.connection.set({ state: 'offline', leads: false })
  }

  async sync ({ signal }: CallOptions = {}): Promise<void> {
    await (await this.makeLeader()).sync(signal)
  }

  /** A conversation that this device has just been let into. */
  async awaitConversation (id: string, signal?: AbortSignal): Promise<void> {
    const { core } = this.options
    if (core.signedIn.conversations.has(id)) return
    await this.sync({ signal })
    if (!core.signedIn.conversations.has(id)) throw new TidelogError({ code: 'UNAVAILABLE', retryable: true })
  }

  async signOut ({ keep = false, everywhere = false }: { keep?: boolean, everywhere?: boolean } = {}): Promise<void> {
    const { core, session } = this.options
    const { engine } = core
    await this.stop()
    await session().end(everywhere)
    if (!keep) await engine?.account.clear()
    await this.shut()
  }

  async close (): Promise<void> {
    await this.shut()
    this.options.storage.close()
  }

  inspect (): Inspection {
    const { core } = this.options
    const { engine } = core
    const operations = engine?.operations.map(toOperation) ?? []
    const count = (state: string) => operations.filter(operation => operation.state === state).length
    return {
      userId: engine?.userId,
      tab: { id: '', leads: this.leader !== undefined, term: engine?.term ?? 0 },
      connection: this.connection.get(),
      transport: this.leader?.connection.transport ?? 'none',
      conversations: engine?.conversations.size ?? 0,
      outbox: { queued: count('queued'), sending: count('sending'), failed: count('failed') },
      counters: { requests: core.http.requests, steps: engine?.steps ?? 0, ...this.leader?.syncer.counters }
    }
  }
}
