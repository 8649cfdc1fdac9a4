import type { Change, SyncBody } from '../../src/schemas/sync.ts'
import { type State, apply, cursorsOf, nothing } from './follower.ts'
import type { Payload, TestSocket } from './sockets.ts'

/** Events that carry the rev of a conversation. */
const changing = new Set(['directMessage', 'roomMessage', 'commonChatMessage', 'messageChanged', 'conversationChanged', 'noop'])

/**
 * A client that follows the rule: a live change of the rev behind its own is applied, an older one dropped, and one that is
 * further ahead means that something was missed, which a sync brings.
 */
export class LiveClient {
  state: State = nothing
  /** Conversations in which something was missed, with the rev that was held and the one that came. */
  readonly holes: Array<{ conversationId: string, held: number, came: number }> = []
  readonly socket: TestSocket
  /** The rev up to which each conversation is known. */
  readonly revs = new Map<string, number>()
  private taken = 0

  constructor (socket: TestSocket) {
    this.socket = socket
  }

  /** Subscribes, then syncs, then is ready to apply what arrived meanwhile. */
  async start (): Promise<void> {
    const { heads } = await this.socket.ask('setupUser', { live: true })
    await this.sync()
    for (const [id, { rev }] of Object.entries(heads as Record<string, { rev: number }>)) this.atLeast(id, rev)
  }

  /** Applies what has arrived since the last time, in order. */
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
      // What the own log says of memberships and blocks changes what there is to see.
      if (change.kind === 'membership' && change.role === null) this.revs.delete(change.conversationId!)
      if (change.kind === 'membership' || (change.kind === 'block' && !change.on)) await this.sync()
    }
    if (change.kind === 'meta') await this.sync()
  }

  /** A sync that begins now knows at least what was told before. */
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
