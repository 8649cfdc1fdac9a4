import type { PresenceState } from './api/presence.ts'
import type { TypingState } from './api/typing.ts'
import type { UploadState } from './api/upload-state.ts'
import type { People } from './api/users.ts'
import { newId, untilAborted } from './clock.ts'
import type { Core, Remote } from './core.ts'
import { type Delta, Engine } from './engine/engine.ts'
import type { LeaderOptions, Leading } from './engine/leading.ts'
import { TabCalls } from './engine/tab-calls.ts'
import { type TabMessage, type Tabs, joinTabs } from './engine/tabs.ts'
import { onWake } from './engine/waking.ts'
import { TidelogError, toFailure } from './errors.ts'
import { inspectionOf } from './inspection.ts'
import { Leadership } from './leadership.ts'
import { tellOf } from './news.ts'
import type { SocketTransport } from './network/transport.ts'
import { toPerson } from './pure/normalize.ts'
import type { WireUser } from './pure/wire.ts'
import { Value } from './readable.ts'
import type { Arrival, SessionState } from './session.ts'
import type { Storage } from './storage/storage.ts'
import { inTurns } from './turns.ts'
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
  private readonly leadership: Leadership
  private tabs: Tabs | undefined
  private readonly calls: TabCalls
  private isStarted = false
  /** Calls that lead although this tab is not started. */
  private visits = 0
  /** Who is signed in, and whether it runs, is changed by one call after another. */
  private readonly inTurn = inTurns()
  private readonly endWaking: () => void

  constructor (options: DeviceOptions) {
    this.options = options
    const { core } = options
    this.id = newId(core.random)
    this.calls = new TabCalls(core.clock, message => { this.tabs?.tell(message) })
    this.leadership = new Leadership({
      core,
      make: () => this.lead(),
      onMade: () => { this.takeOver() },
      onWait: (retryAt, error) => { this.connection.set({ state: 'offline', leads: true, retryAt, error }) }
    })
    core.remotely = (method, ...given) => this.remotely(method, given) as never
    this.endWaking = onWake(isBack => { this.wake(isBack) }, () => { void this.leader?.probe() })
  }

  private get leader (): Leading | undefined {
    return this.leadership.leader
  }

  /** By the tab that leads. */
  private async remotely (method: string, given: unknown[]): Promise<unknown> {
    const signal = given.find(one => one instanceof AbortSignal)
    return await untilAborted(this.byLeader(method, given, signal), signal)
  }

  private async byLeader (method: string, given: unknown[], signal: AbortSignal | undefined): Promise<unknown> {
    // What another tab asks while this one comes to lead is asked again then.
    const isShared = this.tabs?.isShared === true
    const leader = isShared ? this.leader : await this.leadership.current()
    const call = leader?.remote[method as keyof Remote] as ((...given: unknown[]) => Promise<unknown>) | undefined
    if (call !== undefined) return await call(...given)
    if (!isShared) throw new TidelogError({ code: 'OFFLINE' })
    // A signal stays in its tab.
    return await this.calls.ask(method, given.filter(one => one !== signal))
  }

  /** After it, what is shown is this user's. */
  async signIn (arrive: () => Promise<Arrival>): Promise<OwnUser> {
    return await this.inTurn(async () => {
      const arrival = await arrive()
      await this.open(arrival)
      return arrival.user
    })
  }

  async resume (): Promise<OwnUser | null> {
    return await this.inTurn(() => this.openStored(() => this.options.session().find()))
  }

  private async openStored (find: () => Promise<Arrival | undefined>): Promise<OwnUser | null> {
    const arrival = await find()
    if (arrival !== undefined) {
      await this.open(arrival)
      return arrival.user
    }
    await this.halt()
    this.options.session().leave()
    await this.shut()
    return null
  }

  private async open ({ user, take }: Arrival): Promise<void> {
    const { core, storage, typing } = this.options
    if (core.engine?.userId === user.id) {
      await take()
      this.leader?.start()
      return
    }
    const wasStarted = this.isStarted
    // Nothing that the one before has written is sent in the name of another.
    await this.halt()
    try {
      await take()
      await this.shut()
      const engine = new Engine(user.id, await storage.open(user.id), {
        onFailure: failure => { core.fail(failure) },
        onLost: () => { this.lost() }
      })
      const shared = this.options.tabs && storage.sharedAs !== undefined ? `${storage.sharedAs}:${user.id}` : undefined
      // What others store while it is read is heard too.
      const onMessage = (message: TabMessage) => { this.hear(message, engine) }
      this.tabs = joinTabs(shared, { id: this.id, clock: core.clock, onMessage })
      await engine.load()
      engine.users.set(user.id, { id: user.id, fullName: user.fullName, username: user.username, picture: user.picture })
      // What it was still storing when it was shut is shown to nobody.
      engine.changed.add(changed => { if (core.engine === engine) tellOf(changed, core, engine, typing) })
      core.engine = engine
      engine.onCommitted = delta => { this.tabs?.tell({ type: 'delta', delta }) }
      engine.onCommitted(engine.pending)
      core.changed.call('all')
    } finally {
      if (wasStarted && core.engine !== undefined) this.begin()
    }
  }

  /** Another tab tells. */
  private hear (message: TabMessage, engine: Engine): void {
    switch (message.type) {
      case 'delta': return engine.hear(message['delta'] as Delta)
      case 'leads':
        this.reload()
        return this.calls.again()
      case 'event': return this.take(message['event'] as string, message['data'])
      case 'session': return this.reloadSession()
      case 'answer': return this.calls.hear(message, this.id)
      case 'state':
        if (this.leader === undefined) this.connection.set({ ...message['state'] as Connection, leads: false })
        return
      case 'hello':
        if (this.leader !== undefined) this.tabs?.tell({ type: 'state', state: this.connection.get() })
        return
      case 'call':
        if (this.leader !== undefined) this.calls.serve(message, (method, given) => this.remotely(method, given))
    }
  }

  private reload (): void {
    // A storage that fails has said so.
    this.options.core.engine?.reload().catch(() => {})
  }

  /** Another tab signed out, or somebody else in; or it has new tokens. */
  private reloadSession (): void {
    const { core, session } = this.options
    const reloaded = this.inTurn(() => this.openStored(() => session().stored()))
    reloaded.catch((error: unknown) => { core.fail(toFailure(error)) })
  }

  /** The other tabs read it then. */
  tellSession (): void { this.tabs?.tell({ type: 'session' }) }

  /** Nothing of anybody is shown. @param wipe nothing is left either */
  private async shut (wipe = false): Promise<void> {
    const { core, typing } = this.options
    await this.halt()
    this.tabs?.close()
    this.tabs = undefined
    typing.clear()
    const { engine } = core
    core.engine = undefined
    core.changed.call('all')
    await engine?.end(wipe)
  }

  async start (): Promise<void> {
    await this.inTurn(async () => {
      if (this.options.core.engine === undefined) throw new TidelogError({ code: 'NO_SESSION' })
      if (this.isStarted) this.hurry()
      else this.begin()
    })
  }

  private begin (): void {
    this.isStarted = true
    this.tabs?.campaign({
      onLead: () => { void this.leadership.connect() },
      onLost: () => { this.lost() }
    })
    this.tabs?.tell({ type: 'hello' })
  }

  /** Whoever leads tries to connect now, if it does not wait for a time that the server named. */
  private hurry (): void {
    this.remotely('hurry', []).catch(() => {})
  }

  /** Becomes the writer of rows. */
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
        if (leader !== this.leader) return
        this.connection.set({ ...state, leads: true })
        this.tabs?.tell({ type: 'state', state: this.connection.get() })
      },
      onEvent: (event, data) => {
        this.take(event, data)
        this.tabs?.tell({ type: 'event', event, data })
      },
      onSocket: isOpen => {
        presence.connected(isOpen)
        // Each tab says anew whose presence it wants.
        this.tabs?.tell({ type: 'event', event: 'socket', data: isOpen })
      },
      keep: storage.sharedAs === undefined ? undefined : keep
    })
    await leader.begin()
    return leader
  }

  private takeOver (): void {
    // The one before may have stored what it could not tell any more.
    this.tabs?.tell({ type: 'leads' })
    this.calls.takeOver((method, given) => this.remotely(method, given))
    this.options.core.changed.call('all')
  }

  /** Another tab leads: this one follows. */
  private lost (): void {
    const { engine } = this.options.core
    if (engine !== undefined) engine.term = undefined
    this.connection.set({ state: 'connecting', leads: false })
    void this.leadership.end().then(() => {
      this.reload()
      this.tabs?.tell({ type: 'hello' })
    })
    // If this one still holds the lock, nobody else would lead.
    this.tabs?.again()
  }

  private take (name: string, payload: unknown): void {
    const { typing, presence, people, uploads } = this.options
    if (name === 'upload') uploads.hear(payload as Parameters<UploadState['hear']>[0])
    else if (name === 'typing') typing.hear(payload as Parameters<TypingState['hear']>[0])
    else if (name === 'socket') presence.connected(payload as boolean)
    else if (name === 'presence') presence.hear(payload as Parameters<PresenceState['hear']>[0])
    else if (name === 'userChanged' && this.leader !== undefined) people.learn([toPerson((payload as { user: WireUser }).user)]).catch(() => {})
  }

  /** The page is looked at again, or the network is said to be there. @param isBack it was frozen: what other tabs told was lost */
  private wake (isBack: boolean): void {
    this.hurry()
    void this.leader?.probe()
    if (isBack) this.reload()
  }

  async stop (): Promise<void> {
    await this.inTurn(() => this.halt())
  }

  private async halt (): Promise<void> {
    this.isStarted = false
    this.tabs?.resign()
    await this.leadership.end()
    this.connection.set({ state: 'offline', leads: false })
  }

  async sync ({ signal }: CallOptions = {}): Promise<void> {
    await untilAborted(this.syncNow(signal), signal)
  }

  private async syncNow (signal: AbortSignal | undefined): Promise<void> {
    if (this.tabs?.isShared !== true) return await (await this.inTurn(() => this.leadership.make())).sync(signal)
    if (this.isStarted) await this.remotely('sync', [signal])
    else await this.visit(() => this.remotely('sync', [signal]))
  }

  /** Without being started: leads for so long, or asks the tab that does. */
  private async visit (work: () => Promise<unknown>): Promise<void> {
    this.visits++
    try {
      const failed = new Promise<never>((_resolve, reject) => {
        const onLead = () => { this.leadership.make().catch(reject) }
        const onLost = () => { this.lost() }
        void this.inTurn(async () => { if (!this.isStarted) this.tabs?.campaign({ onLead, onLost }) })
      })
      await Promise.race([work(), failed])
    } finally {
      this.visits--
      await this.inTurn(async () => { if (!this.isStarted && this.visits === 0) await this.halt() })
    }
  }

  async signOut ({ keep = false, everywhere = false }: { keep?: boolean, everywhere?: boolean } = {}): Promise<void> {
    await this.inTurn(async () => {
      const wasStarted = this.isStarted
      await this.halt()
      try {
        await this.options.session().end(everywhere)
      } catch (error) {
        if (wasStarted) this.begin()
        throw error
      }
      await this.shut(!keep)
    })
  }

  async close (): Promise<void> {
    this.endWaking()
    await this.inTurn(() => this.shut())
    this.options.storage.close()
  }

  inspect (): Inspection {
    const { id: tabId, leader } = this
    return inspectionOf(this.options.core, { tabId, leader, connection: this.connection.get() })
  }
}
