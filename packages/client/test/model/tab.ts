import { conversationOf } from '../../src/api/conversation.ts'
import { TypingState } from '../../src/api/typing.ts'
import { Core, type Remotely } from '../../src/core.ts'
import { type Delta, Engine } from '../../src/engine/engine.ts'
import { Leader } from '../../src/engine/leader.ts'
import { TidelogError } from '../../src/errors.ts'
import type { Http, Request } from '../../src/network/http.ts'
import type { LiveEvent } from '../../src/pure/changes.ts'
import type { Clock, Conversation } from '../../src/types.ts'
import { Value } from '../../src/readable.ts'
import { App } from './app.ts'
import type { Disk } from './disk.ts'
import { type Server, me } from './server.ts'
import type { Mutation } from './spec.ts'

interface Call {
  /** A long poll: nothing hurries. */
  waits: boolean
  run: () => unknown
  resolve: (value: never) => void
  reject: (error: unknown) => void
}

const pollMs = 25_000

export interface TabParts {
  disk: Disk
  clock: Clock
  random: () => number
  mutation: Mutation
  server: Server
  serve: (path: string, request: Request) => unknown
  /** To the other tabs. */
  tell: (tab: Tab, mail: Delta | 'leads') => void
  leader: () => Leader | undefined
}

/** One tab of the client: its engine, sync and outbox are the real ones, the network and the disk are not. */
export class Tab {
  isAlive = true
  leader: Leader | undefined
  wire: LiveEvent[] = []
  calls: Call[] = []
  /** Answers that take their time. */
  late: Array<() => void> = []
  /** What other tabs have stored, on its way. */
  mail: Array<Delta | 'leads'> = []
  readonly engine: Engine
  private readonly core: Core
  private readonly parts: TabParts
  private readonly chats = new Map<string, Conversation>()
  private polling: AbortController | undefined
  readonly app: App

  constructor (parts: TabParts) {
    this.parts = parts
    const { disk, clock, random, mutation } = parts
    this.engine = new Engine(me, disk.open(this), { onFailure: () => {}, onLost: () => { this.lost() } })
    mutation.bendEngine?.(this.engine)
    this.engine.onCommitted = delta => { parts.tell(this, delta) }
    this.core = new Core({ http: { call: this.call } as unknown as Http, clock, random })
    this.core.engine = this.engine
    this.engine.changed.add(changed => { this.core.changed.call(changed) })
    this.core.remotely = (async (method: 'sync', ...given: []) => {
      const remote = parts.leader()?.remote
      if (remote === undefined) throw new TidelogError({ code: 'OFFLINE' })
      await remote[method](...given)
    }) as Remotely
    this.app = new App(this.core, this.engine, parts.server)
  }

  private readonly call = (_method: string, path: string, request: Request): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const { waitMs } = request.body as { waitMs?: number } | undefined ?? {}
      const { signal } = request
      // Node keeps a signal for as long as somebody listens to it.
      const ending = <T>(end: (value: T) => void) => (value: T) => {
        signal?.removeEventListener('abort', abort)
        end(value)
      }
      const call: Call = {
        waits: waitMs !== undefined,
        run: () => this.parts.serve(path, request),
        resolve: ending(resolve),
        reject: ending(reject)
      }
      const abort = () => {
        this.calls = this.calls.filter(other => other !== call)
        call.reject(new TidelogError({ code: 'ABORTED' }))
      }
      if (signal?.aborted === true) return abort()
      signal?.addEventListener('abort', abort)
      this.calls.push(call)
    })

  /** Follows by a socket: events come. */
  get isLive (): boolean {
    return this.leader?.connection.socket !== undefined
  }

  get isOnline (): boolean {
    return this.leader?.connection.isOnline === true
  }

  chat (id: string): Conversation {
    const { core } = this
    const parts = {
      core,
      typing: new TypingState(core),
      membersOf: () => new Value([]),
      summaryOf: () => new Value(undefined),
      prepare: () => Promise.reject(new Error('nothing is uploaded here'))
    }
    const chat = this.chats.get(id) ?? conversationOf(id, parts)
    this.chats.set(id, chat)
    return chat
  }

  async lead (): Promise<void> {
    if (this.leader !== undefined) return
    const { core, engine } = this
    const nothing = () => {}
    const leader = new Leader({
      core,
      engine,
      url: '',
      socket: undefined,
      tokens: undefined as never,
      onState: nothing,
      onEvent: nothing,
      onSocket: nothing
    })
    leader.connection.fail = () => { this.disconnect() }
    this.parts.mutation.bendSyncer?.(leader.syncer)
    this.parts.mutation.bendRows?.(leader.rows)
    await leader.begin()
    this.parts.tell(this, 'leads')
    this.leader = leader
  }

  connect (heads: Parameters<Leader['syncer']['begin']>[0]): void {
    const { leader } = this
    if (leader === undefined || this.isLive) return
    this.disconnect()
    leader.connection.isOnline = true
    leader.connection.socket = { ask: async () => undefined, tell: () => {}, close: () => {} }
    leader.syncer.begin(heads).catch(() => {})
    leader.sender.reset()
  }

  /** By long polls, as `ConnectionLoop` does. */
  poll (): void {
    const { leader } = this
    if (leader === undefined || this.isLive || this.polling !== undefined) return
    const { signal } = this.polling = new AbortController()
    this.follow(leader, signal).catch(() => {}).finally(() => { if (!signal.aborted) this.disconnect() })
  }

  private async follow ({ syncer, connection, sender }: Leader, signal: AbortSignal): Promise<void> {
    await syncer.sync({ scope: 'all', signal })
    if (signal.aborted) return
    connection.isOnline = true
    sender.reset()
    while (!signal.aborted) await syncer.sync({ scope: 'all', waitMs: pollMs, signal })
  }

  /** The application asks; so does whoever was just let into the room. */
  ask (what: 'sync' | 'join'): void {
    const { leader } = this
    if (leader === undefined) return
    const isHeard = () => this.isAlive && this.leader === leader && this.parts.leader() === leader
    if (what === 'sync') this.app.sync(() => leader.remote.sync(), isHeard)
    else this.app.join(() => leader.remote.sync(), isHeard)
  }

  /** Of its socket; calls that are under way may be answered yet. */
  disconnect (): void {
    const { leader } = this
    this.wire = []
    this.polling?.abort()
    this.polling = undefined
    if (leader === undefined) return
    leader.connection.isOnline = false
    leader.connection.socket = undefined
    leader.syncer.end()
  }

  /** Another tab leads, as the lock or the disk says. */
  lost (): void {
    const { leader, engine } = this
    this.disconnect()
    this.leader = undefined
    engine.term = undefined
    leader?.stop().then(() => engine.reload()).catch(() => {})
  }

  die (): void {
    this.isAlive = false
    this.calls = []
    this.disconnect()
    this.leader = undefined
  }

  hear (events: readonly LiveEvent[]): void {
    this.leader?.syncer.hear(events)
  }

  /** One that another tab has told of. */
  readMail (): void {
    const delta = this.mail.shift()
    if (delta === 'leads') void this.engine.reload().catch(() => {})
    if (delta === undefined || delta === 'leads') return
    this.engine.hear(delta)
  }

  answer (fate: 'now' | 'lost' | 'late'): void {
    const call = this.calls.shift()
    if (call === undefined) return
    try {
      const answer = structuredClone(call.run()) as never
      if (fate === 'now') call.resolve(answer)
      else if (fate === 'late') this.late.push(() => { call.resolve(answer) })
      else call.reject(new TidelogError({ code: 'TIMEOUT' }))
    } catch (error) {
      call.reject(error)
    }
  }
}
