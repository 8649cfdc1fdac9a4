import { toOperation } from './api/operations.ts'
import type { PresenceState } from './api/presence.ts'
import type { TypingState } from './api/typing.ts'
import type { UploadState } from './api/upload-state.ts'
import type { People } from './api/users.ts'
import { backoffMs, newId } from './clock.ts'
import type { Changed, Core, Remote } from './core.ts'
import { type Delta, Engine } from './engine/engine.ts'
import type { LeaderOptions, Leading } from './engine/leading.ts'
import { TabCalls } from './engine/tab-calls.ts'
import { type TabMessage, type Tabs, joinTabs, locks } from './engine/tabs.ts'
import { onWake } from './engine/waking.ts'
import { TidelogError, toFailure } from './errors.ts'
import type { SocketTransport } from './network/transport.ts'
import { toPerson } from './pure/normalize.ts'
import { showRow } from './pure/view.ts'
import type { WireUser } from './pure/wire.ts'
import { Value } from './readable.ts'
import type { SessionState } from './session.ts'
import type { Storage } from './storage/storage.ts'
import type { CallOptions, Connection, Inspection, OwnUser } from './types.ts'

export interface DeviceOptions {
  core: Core
  url: string
  storage: Storage
  socket: SocketTransport | undefined
  tabs: boolean
  /** Messages that are stored at most. */
  keep: number
  /** Loads what talks to the server. */
  lead: (options: LeaderOptions) => Promise<Leading>
  session: () => SessionState
  typing: TypingState
  presence: PresenceState
  people: People
  uploads: UploadState
}

/** This client on this device: whose data is open, and which tab talks to the server. */
export class Device {
  readonly connection = new Value<Connection>({ state: 'offline', leads: false })
  private readonly options: DeviceOptions
  private readonly id: string
  private leader: Leading | undefined
  private making: Promise<Leading> | undefined
  /** In a row, in which this tab could not begin to lead. */
  private failures = 0
  private cancelRetry = () => {}
  private tabs: Tabs | undefined
  private readonly calls: TabCalls
  private isStarted = false
  private readonly endWaking: () => void

  constructor (options: DeviceOptions) {
    this.options = options
    const { core } = options
    this.id = newId(core.random)
    this.calls = new TabCalls(core.clock, message => { this.tabs?.tell(message) })
    core.remotely = (method, ...given) => this.remotely(method, given) as never
    this.endWaking = onWake(isBack => { this.wake(isBack) }, () => { void this.leader?.probe() })
  }

  /** By the tab that leads. */
  private async remotely (method: string, given: unknown[]): Promise<unknown> {
    if (this.leader !== undefined) return await (this.leader.remote[method as keyof Remote] as (...given: unknown[]) => Promise<unknown>)(...given)
    if (this.tabs?.isShared !== true) throw new TidelogError({ code: 'OFFLINE' })
    // A signal stays in its tab.
    return await this.calls.ask(method, given.filter(one => !(one instanceof AbortSignal)))
  }

  /** One at a time over all tabs. */
  async exclusively<T> (work: () => Promise<T>): Promise<T> {
    const { sharedAs } = this.options.storage
    const held = locks()
    return sharedAs === undefined || held === undefined ? await work() : await held.request(`${sharedAs}:token`, {}, work)
  }

  sessionChanged (): void {
    this.tabs?.tell({ type: 'session' })
  }

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
    const { core, storage } = this.options
    if (core.engine?.userId === user.id) {
      this.leader?.start()
      return
    }
    const wasStarted = this.isStarted
    await this.shut()
    const engine = new Engine(user.id, await storage.open(user.id), {
      onFailure: failure => { core.fail(failure) },
      onLost: () => { void this.lost() }
    })
    await engine.load()
    engine.users.set(user.id, { id: user.id, fullName: user.fullName, username: user.username, picture: user.picture })
    // What it was still storing when it was shut is shown to nobody.
    engine.changed.add(changed => { if (core.engine === engine) this.show(engine, changed) })
    core.engine = engine
    const shared = this.options.tabs && storage.sharedAs !== undefined ? `${storage.sharedAs}:${user.id}` : undefined
    this.tabs = joinTabs(shared, { id: this.id, clock: core.clock, onMessage: message => { this.hear(message) } })
    engine.onCommitted = delta => { this.tabs?.tell({ type: 'delta', delta }) }
    engine.onCommitted(engine.pending)
    core.changed.call('all')
    if (wasStarted) await this.start()
  }

  private show (engine: Engine, changed: Changed): void {
    const { core, typing } = this.options
    core.changed.call(changed)
    if (changed === 'all') return
    for (const conversationId of changed.batch.drop ?? []) core.emit('removed', { conversationId })
    for (const row of changed.news) {
      typing.heardMessage(row.conversationId, row.senderId)
      if (!engine.shownIn(row.conversationId)(row)) continue
      core.emit('message', showRow(row, [], engine.viewOf(row.conversationId)))
    }
  }

  /** Another tab tells. */
  private hear (message: TabMessage): void {
    const { core: { engine } } = this.options
    switch (message.type) {
      case 'delta': return engine?.show(message['delta'] as Delta)
      case 'leads':
        engine?.reload().catch(() => {})
        return
      case 'state': return this.leader === undefined ? this.connection.set({ ...message['state'] as Connection, leads: false }) : undefined
      case 'hello': return this.leader === undefined ? undefined : this.tellState()
      case 'event': return this.take(message['event'] as string, message['data'])
      case 'session':
        void this.reloadSession()
        return
      case 'call': return this.leader === undefined ? undefined : this.calls.serve(message, (method, given) => this.remotely(method, given))
      case 'answer': return this.calls.hear(message, this.id)
    }
  }

  /** Another tab signed out, or somebody else in; or it has new tokens. */
  private async reloadSession (): Promise<void> {
    const user = await this.options.session().reload()
    if (user === undefined) await this.shut()
    else await this.open(user)
  }

  private tellState (): void {
    this.tabs?.tell({ type: 'state', state: this.connection.get() })
  }

  /** Nothing of anybody is shown. */
  private async shut (): Promise<void> {
    const { core, typing } = this.options
    await this.stop()
    this.tabs?.close()
    this.tabs = undefined
    typing.clear()
    core.engine?.account.close()
    core.engine = undefined
    core.changed.call('all')
  }

  async start (): Promise<void> {
    if (this.options.core.engine === undefined) throw new TidelogError({ code: 'NO_SESSION' })
    if (this.isStarted) return this.hurry()
    this.isStarted = true
    this.tabs?.campaign({
      onLead: () => { void this.beginLeading() },
      onLost: () => { void this.lost() }
    })
    this.tabs?.tell({ type: 'hello' })
  }

  /** Whoever leads tries to connect now, if it does not wait for a time that the server named. */
  private hurry (): void {
    this.remotely('hurry', []).catch(() => {})
  }

  /** What it takes may not come from the server or the storage: then it is tried again. */
  private async beginLeading (): Promise<void> {
    this.cancelRetry()
    try {
      const leader = await this.makeLeader()
      this.failures = 0
      if (this.isStarted) leader.start()
    } catch (thrown) {
      const { core: { clock, random }, core } = this.options
      const error = toFailure(thrown)
      core.fail(error)
      if (!this.isStarted) return
      const waitMs = backoffMs(random, ++this.failures)
      this.connection.set({ state: 'offline', leads: true, retryAt: clock.now() + waitMs, error })
      this.cancelRetry = clock.after(waitMs, () => { void this.beginLeading() })
    }
  }

  private makeLeader (): Promise<Leading> {
    this.making ??= this.lead().catch((error: unknown) => {
      this.making = undefined
      throw error
    })
    return this.making
  }

  private async lead (): Promise<Leading> {
    const { core, url, storage, socket, session, presence, keep } = this.options
    const engine = core.signedIn
    const leader = await this.options.lead({
      core,
      engine,
      url,
      socket,
      tokens: session().tokens,
      onState: state => {
        this.connection.set({ ...state, leads: true })
        this.tellState()
      },
      onEvent: (event, data) => {
        this.take(event, data)
        this.tabs?.tell({ type: 'event', event, data })
      },
      onSocket: isOpen => { presence.connected(isOpen) },
      keep: storage.sharedAs === undefined ? undefined : keep
    })
    await leader.begin()
    // The one before may have stored what it could not tell any more.
    this.tabs?.tell({ type: 'leads' })
    this.leader = leader
    this.calls.takeOver((method, given) => this.remotely(method, given))
    core.changed.call('all')
    return leader
  }

  /** Another tab leads: this one follows. */
  private async lost (): Promise<void> {
    const { core } = this.options
    this.cancelRetry()
    const leader = this.leader ?? await this.making?.catch(() => undefined)
    this.leader = this.making = undefined
    if (core.engine !== undefined) core.engine.term = undefined
    this.connection.set({ state: 'connecting', leads: false })
    await leader?.stop()
    await core.engine?.reload()
    this.tabs?.tell({ type: 'hello' })
  }

  private take (name: string, payload: unknown): void {
    const { typing, presence, people, uploads } = this.options
    if (name === 'upload') uploads.hear(payload as Parameters<UploadState['hear']>[0])
    else if (name === 'typing') typing.hear(payload as Parameters<TypingState['hear']>[0])
    else if (name === 'presence') presence.hear(payload as Parameters<PresenceState['hear']>[0])
    else if (name === 'userChanged' && this.leader !== undefined) people.learn([toPerson((payload as { user: WireUser }).user)]).catch(() => {})
  }

  /** The page is looked at again, or the network is said to be there. @param isBack it was frozen: what other tabs told was lost */
  private wake (isBack: boolean): void {
    const { core } = this.options
    this.hurry()
    void this.leader?.probe()
    if (isBack) core.engine?.reload().catch(() => {})
  }

  async stop (): Promise<void> {
    this.isStarted = false
    this.cancelRetry()
    this.tabs?.resign()
    const leader = this.leader ?? await this.making?.catch(() => undefined)
    this.leader = this.making = undefined
    await leader?.stop()
    this.connection.set({ state: 'offline', leads: false })
  }

  async sync ({ signal }: CallOptions = {}): Promise<void> {
    if (this.leader === undefined && this.isStarted && this.tabs?.isShared === true && this.connection.get().state !== 'offline') await this.remotely('sync', [])
    else await (await this.makeLeader()).sync(signal)
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
    this.endWaking()
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
      tab: { id: this.id, leads: this.leader !== undefined, term: engine?.term ?? 0 },
      connection: this.connection.get(),
      transport: this.leader?.transport ?? 'none',
      conversations: engine?.conversations.size ?? 0,
      outbox: { queued: count('queued'), sending: count('sending'), failed: count('failed') },
      counters: { requests: core.http.requests, steps: engine?.steps ?? 0, ...this.leader?.counters }
    }
  }
}
