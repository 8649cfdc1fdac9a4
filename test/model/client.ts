import { MongoServerError } from 'mongodb'
import { commonChatId } from '../../src/chat/rules/conversation-id.ts'
import type { Message } from '../../src/schemas/message.ts'
import type { Change, SyncBody } from '../../src/schemas/sync.ts'
import { type State, cursorsOf, nothing } from '../helpers/follower.ts'
import type { Schedule } from './schedule.ts'
import { type Live, type LiveEvent, type Rules, beginSync, connected, endSync, failSync, hear, hearHeads, hearReads, holes, takeAnswer } from './live.ts'
import { Lost, type Node } from './node.ts'
import type { FakeSocket } from './sockets.ts'
import type { Identity } from '../../src/users/identity.ts'

export interface ClientOptions {
  name: string
  identity: Identity
  /** Subscribes to live events. False: only syncs. */
  live: boolean
  /** Changes in a response. */
  limit: number
  newest: number | 'all'
  /** Names the conversations to sync, including those that it knows only from the self log. */
  only: boolean
  /** Waits at a gap until the history is at rest and every sent event has arrived. */
  isPatient: boolean
  rules: Rules
  /** Stores cursors before the changes that they stand for. */
  cursorsFirst: boolean
}

/** The client's surroundings. */
export interface Around {
  schedule: Schedule
  broken: string[]
  request: <T>(node: Node, work: () => Promise<T>) => Promise<T>
  /** Judges a response when it is made. `since` is the last commit that the node must know of. */
  judge: (answer: SyncBody, userId: string, since: number) => void
  judgeHeld: (state: State, userId: string, since: number) => void
  /** @returns asks, after the answer of this node, which commit it must include */
  commits: (node: Node) => () => number
}

/** A client process. Only its stored state survives a restart. */
export class Client {
  readonly options: ClientOptions
  live: Live = connected(nothing)
  node: Node | undefined
  socket: FakeSocket | undefined
  /** On the disk. */
  private stored: State = nothing
  private life = 0
  /** An older database was restored: the client's state may go back. */
  mayGoBack = false
  private running = false
  private failures = 0
  private subscribed = false
  private readonly around: Around

  constructor (around: Around, options: ClientOptions) {
    this.around = around
    this.options = options
  }

  get owner (): string {
    return `${this.options.name}.${this.life}`
  }

  get isConnected (): boolean {
    return this.node !== undefined
  }

  connect (node: Node, index: number): void {
    this.leave()
    this.node = node
    this.failures = 0
    this.subscribed = false
    this.live = connected(this.stored)
    if (this.options.live) this.socket = node.io.connect(this.options.identity, index)
    this.wake()
  }

  /** Drops every response still to come. The process continues. */
  leave (): void {
    if (this.socket !== undefined) this.node?.io.disconnect(this.socket)
    this.socket = this.node = undefined
    this.begin()
  }

  crash (): void {
    this.leave()
    this.live = connected(this.stored)
  }

  /** Begins a life: nothing of the previous life arrives any more. */
  private begin (): void {
    this.around.schedule.kill(this.owner)
    this.life++
    this.running = false
  }

  take (event: string, payload: unknown): void {
    const before = this.live
    if (event === 'resync') this.live = { ...this.live, isDue: true }
    else if (event === 'heads') this.live = hearHeads(this.live, payload as Record<string, number>)
    else if (event === 'messagesRead') {
      const { conversationId, ...position } = payload as { conversationId: string, userId: string, seq: number, at: string }
      this.live = hearReads(this.live, conversationId, position)
    } else this.live = hear(this.live, liveEvent(event, payload), this.options.rules)
    this.keep(before.state)
    this.wake()
  }

  /** Syncs even if nothing seems to be new, or if the client has given up. */
  syncNow (): void {
    this.failures = 0
    this.live = { ...this.live, isDue: true }
    this.wake()
  }

  /** Continues with due work. */
  resume (): void {
    this.failures = 0
    this.wake()
  }

  wake (): void {
    const isDue = this.live.isDue || (!this.options.isPatient && holes(this.live).length > 0)
    if (this.running || this.node === undefined || !isDue || this.failures > 8) return
    this.running = true
    const { life } = this
    this.run(this.node).catch((error: unknown) => {
      this.failures++
      if (!(error instanceof Lost || error instanceof MongoServerError)) this.around.broken.push(String(error))
    }).then(() => {
      if (life !== this.life) return
      this.running = false
      this.wake()
    }).catch((error: unknown) => { this.around.broken.push(String(error)) })
  }

  private async run (node: Node): Promise<void> {
    const { schedule, commits } = this.around
    await schedule.turn(this.owner)
    if (this.socket !== undefined && !this.subscribed) await this.goLive(node, this.socket)
    const since = commits(node)
    this.live = beginSync(this.live)
    try {
      while (await this.page(node));
    } catch (error) {
      this.live = failSync(this.live)
      throw error
    }
    const before = this.live.state
    this.live = endSync(this.live, this.options.rules)
    this.keep(before)
    this.mayGoBack = false
    if (!this.live.isDue) this.around.judgeHeld(this.live.state, this.options.identity.userId, since())
  }

  private async goLive (node: Node, socket: FakeSocket): Promise<void> {
    const heads = await this.ask(node, () => node.goLive(socket))
    this.subscribed = true
    this.live = hearHeads(this.live, Object.fromEntries(Object.entries(heads).map(([id, { rev }]) => [id, rev])))
  }

  /** Requests one page. @returns whether there is more */
  private async page (node: Node): Promise<boolean> {
    const { broken, commits, judge } = this.around
    const { identity, limit, newest, only } = this.options
    const cursors = this.cursors()
    const answer = await this.ask(node, async () => {
      const since = commits(node)
      const answer = await node.pull(identity, { cursors, limit, newest, only })
      judge(answer, identity.userId, since())
      return answer
    })
    if (answer.hasMore && answer.conversations.every(({ conversationId, cursor }) => cursors[conversationId] === cursor)) broken.push('there is more, but no way to it')
    if (this.options.cursorsFirst) await this.storeCursors(takeAnswer(this.live, answer).state)
    const before = this.live.state
    // A change that arrived meanwhile is kept, and must stay.
    this.live = takeAnswer(this.live, answer)
    this.keep(before)
    const named = new Set(Object.keys(cursors))
    return answer.hasMore || (only && Object.keys(this.cursors()).some(id => !named.has(id)))
  }

  private cursors (): Record<string, string | null> {
    const { state } = this.live
    if (!this.options.only) return cursorsOf(state)
    return { [commonChatId]: null, ...Object.fromEntries(Object.keys(state.memberships).map(id => [id, null])), ...cursorsOf(state) }
  }

  private async storeCursors ({ conversations }: State): Promise<void> {
    const held = this.stored.conversations
    this.stored = {
      ...this.stored,
      conversations: Object.fromEntries(Object.entries(conversations).map(([id, one]) => [id, { ...(held[id] ?? { ...one, messages: {} }), cursor: one.cursor }]))
    }
    await this.around.schedule.turn(this.owner)
  }

  /** Sends a request. If the client's life ends first, the response never arrives. */
  private async ask<T> (node: Node, work: () => Promise<T>): Promise<T> {
    const { owner } = this
    try {
      return await this.around.request(node, work)
    } finally {
      await this.around.schedule.turn(owner)
    }
  }

  /** Stores the state: rows and cursors at once. */
  private keep (before: State): void {
    this.stored = this.live.state
    if (before === this.stored || this.mayGoBack) return
    for (const [id, { messages }] of Object.entries(this.stored.conversations)) {
      const earlier = before.conversations[id]?.messages ?? {}
      for (const [messageId, message] of Object.entries(messages)) {
        const held = earlier[messageId]
        if (held === undefined || held === message) continue
        if (held.isDeleted && !message.isDeleted) this.around.broken.push('I6: a deleted message came back')
        else if (held.rev > message.rev) this.around.broken.push('a client went back to an earlier form')
      }
    }
  }
}

function liveEvent (event: string, payload: unknown): LiveEvent {
  const { conversationId, rev } = payload as { conversationId: string, rev: number }
  switch (event) {
    case 'noop': return { conversationId, rev, change: null }
    case 'conversationChanged': return { conversationId, rev, change: (payload as { change: Change }).change }
    default: return { conversationId, rev, change: { kind: 'message', rev, message: payload as Message } }
  }
}
