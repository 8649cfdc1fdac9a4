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
import type { Disk } from './disk.ts'
import { me } from './server.ts'
import type { Mutation } from './spec.ts'

interface Call { run: () => unknown, resolve: (value: never) => void, reject: (error: unknown) => void }

export interface TabParts {
  disk: Disk
  clock: Clock
  random: () => number
  mutation: Mutation
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

  constructor (parts: TabParts) {
    this.parts = parts
    const { disk, clock, random, mutation } = parts
    this.engine = new Engine(me, disk.open(this), { onFailure: () => {}, onLost: () => { this.lost() } })
    mutation.bendEngine?.(this.engine)
    this.engine.onCommitted = delta => { parts.tell(this, delta) }
    this.core = new Core({ http: { call: this.call } as unknown as Http, clock, random })
    this.core.engine = this.engine
    this.core.remotely = ((method, ...given) => {
      const remote = method === 'markedRead' ? parts.leader()?.remote : undefined
      return remote?.markedRead(...given as Parameters<typeof remote.markedRead>) ??
        Promise.reject(new TidelogError({ code: 'OFFLINE' }))
    }) as Remotely
  }

  private readonly call = (_method: string, path: string, request: Request): Promise<unknown> =>
    new Promise((resolve, reject) => {
      this.calls.push({ run: () => this.parts.serve(path, request), resolve, reject })
    })

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
    if (leader === undefined || this.isOnline) return
    leader.connection.isOnline = true
    leader.connection.socket = { ask: async () => undefined, tell: () => {}, close: () => {} }
    leader.syncer.begin(heads).catch(() => {})
    leader.sender.reset()
  }

  /** Of its socket; calls that are under way may be answered yet. */
  disconnect (): void {
    const { leader } = this
    this.wire = []
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
    this.engine.show(delta)
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
