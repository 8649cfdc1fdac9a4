import type { Change, SyncBody } from '../../src/schemas/sync.ts'
import { type State, apply, cursorsOf, nothing } from './follower.ts'
import type { Payload, TestSocket } from './sockets.ts'

/** Events that carry the rev of a conversation. */
const changing = new Set(['directMessage', 'roomMessage', 'commonChatMessage', 'messageChanged', 'conversationChanged', 'noop'])

/**
 * A client that follows the protocol: it applies a live change at the next rev, drops an older one, and syncs if a
 * change is further ahead, because then it has missed something.
 */
export class LiveClient {
  state: State = nothing
  /** Gaps: the rev that the client held, and the one that arrived. */
  readonly holes: Array<{ conversationId: string, held: number, came: number }> = []
  readonly socket: TestSocket
  /** The last known rev of each conversation. */
  readonly revs = new Map<string, number>()
  private taken = 0

  constructor (socket: TestSocket) {
    this.socket = socket
  }

  /** Subscribes, then syncs, then applies the events that arrived meanwhile. */
  async start (): Promise<void> {
    const { heads } = await this.socket.ask('setupUser', { live: true })
    await this.sync()
    for (const [id, { rev }] of Object.entries(heads as Record<string, { rev: number }>)) this.atLeast(id, rev)
  }

  /** Applies the events since the last call, in order. */
  async catchUp (): Promise<void> {
    while (this.taken < this.socket.events.length) {
      const { name, payload } = this.socket.events[this.taken++]!
      if (changing.has(name)) await this.take(name, payload)
      else if (name === 'heads') for (const [id, rev] of Object.entries(payload as Record<string, number>)) await this.compare(id, rev)
      else if (name === 'resync') await this.sync()
      else if (name === 'messagesRead') this.read(payload)
    }
  }

  async sync (): Promise<void> {
    for (;;) {
      const answer: SyncBody = await this.socket.ask('sync', { cursors: cursorsOf(this.state) })
      this.state = apply(this.state, answer)
      for (const { conversationId, rev } of answer.conversations) this.atLeast(conversationId, rev)
      if (!answer.hasMore) return
    }
  }

  private async take (name: string, payload: Payload): Promise<void> {
    const { conversationId, rev } = payload as { conversationId: string, rev: number }
    const held = this.revs.get(conversationId)
    if (held === undefined) return await this.behind(conversationId, rev)
    if (rev <= held) return
    if (rev !== held + 1) {
      this.holes.push({ conversationId, held, came: rev })
      return await this.behind(conversationId, rev)
    }
    this.revs.set(conversationId, rev)
    if (name === 'noop') return
    const change: Change = name === 'conversationChanged' ? payload.change : { rev, kind: 'message', message: payload }
    this.apply(conversationId, [change])
    if (conversationId === 'self') {
      // Memberships and blocks of the self log change what the user sees.
      if (change.kind === 'membership' && change.role === null) this.revs.delete(change.conversationId!)
      if (change.kind === 'membership' || (change.kind === 'block' && !change.on)) await this.sync()
    }
    if (change.kind === 'meta') await this.sync()
  }

  /** Syncs: a sync that begins now returns at least this rev. */
  private async behind (conversationId: string, rev: number): Promise<void> {
    await this.sync()
    if (this.state.conversations[conversationId] !== undefined) this.atLeast(conversationId, rev)
  }

  private async compare (conversationId: string, rev: number): Promise<void> {
    const held = this.revs.get(conversationId)
    if (held !== undefined && held >= rev) return
    if (held !== undefined) this.holes.push({ conversationId, held, came: rev })
    await this.behind(conversationId, rev)
  }

  private read ({ conversationId, userId, seq, at }: Payload): void {
    if (this.state.conversations[conversationId] !== undefined) this.apply(conversationId, [], [{ userId, seq, at }])
  }

  private apply (conversationId: string, changes: Change[], reads: SyncBody['conversations'][number]['reads'] = []): void {
    const held = this.state.conversations[conversationId]
    if (held === undefined) return
    const { kind, cursor, unreadCount } = held
    this.state = apply(this.state, { conversations: [{ conversationId, kind: kind as 'room', cursor, rev: this.revs.get(conversationId) ?? 0, changes, hasMore: false, unreadCount, mentionCount: 0, reads }] })
  }

  private atLeast (conversationId: string, rev: number): void {
    this.revs.set(conversationId, Math.max(rev, this.revs.get(conversationId) ?? 0))
  }
}
