import { setTimeout as delay } from 'node:timers/promises'
import type { Follower, Message } from '../history.ts'
import type { Person } from '../people.ts'
import { isTransient } from '../rest.ts'
import type { Stage } from '../stage.ts'
import { pageSize } from './followers.ts'

interface Conversation {
  conversationId: string
  changes: Array<{ rev: number, kind: string, message?: Message }>
  cursor: string
  hasMore: boolean
  reset?: boolean
}

/** Follows all conversations of one user by POST /api/sync with long polls, from before the first message. */
export async function pull (stage: Stage, me: Person): Promise<void> {
  const random = stage.random.fork()
  const client = new PullClient(stage, me)
  let behind = 0
  for (;;) {
    const quiet = stage.settled.aborted
    const waitMs = quiet ? 0 : random.pick([0, 0, 100, 1_000])
    const limit = pageSize(random, behind)
    const startedAt = Date.now()
    const answer = await random.pick(stage.nodes).call('POST', '/api/sync', me.token, { cursors: Object.fromEntries(client.cursors), limit, ...(waitMs > 0 ? { waitMs } : {}) })
    if (answer?.status === 404) {
      stage.history.absent.add('sync')
      return
    }
    if (isTransient(answer)) {
      await delay(200)
      continue
    }
    if (answer!.status !== 200) {
      stage.history.faults.push({ at: Date.now(), what: `POST /api/sync of ${me.name} was answered ${answer!.status} ${answer!.code} to the cursors that it had given` })
      return
    }
    stage.history.polls.push({ waitMs, startedAt, doneAt: Date.now() })
    client.take(answer!.body.conversations as Conversation[], limit, answer!.body.hasMore === true)
    behind = answer!.body.hasMore === true ? behind + 1 : 0
    if (answer!.body.hasMore === true) continue
    if (quiet) return await client.finish()
    await delay(random.integer(5, 60))
  }
}

class PullClient {
  readonly cursors = new Map<string, string>()
  private readonly followers = new Map<string, Follower>()
  /** Conversations that were reset, and whose first complete seq is not known yet. */
  private readonly beginning = new Set<string>()
  private readonly stage: Stage
  private readonly me: Person

  constructor (stage: Stage, me: Person) {
    this.stage = stage
    this.me = me
  }

  take (conversations: readonly Conversation[], limit: number, hasMore: boolean): void {
    const advanced = conversations.some(({ conversationId, cursor }) => this.cursors.get(conversationId) !== cursor)
    if (hasMore && !advanced) this.follower(conversations[0]?.conversationId ?? 'self').problems.push('was told that there is more and got nothing new')
    const count = conversations.reduce((sum, { changes, reset }) => sum + (reset === true ? 0 : changes.length), 0)
    if (count > limit) this.follower(conversations[0]!.conversationId).problems.push(`asked for ${limit} changes and got ${count}`)
    for (const conversation of conversations) this.apply(conversation, limit)
  }

  /** After all writing: `heads` must match the cursors, and a sync must return nothing new. */
  async finish (): Promise<void> {
    for (const follower of this.followers.values()) follower.finished = true
    const node = this.stage.random.pick(this.stage.nodes)
    const heads = await node.call('GET', '/api/sync/heads', this.me.token)
    if (heads?.status !== 200) {
      if (heads?.status === 404) this.stage.history.absent.add('heads')
      return
    }
    const names = Object.keys(heads.body.heads as object)
    for (const { conversationId: id } of this.stage.targets.get(this.me.id)!) {
      if (id !== 'common_chat' && this.followers.has(id) && !names.includes(id)) this.follower(id).problems.push('does not find it among the heads')
    }
    const after = await node.call('POST', '/api/sync', this.me.token, { cursors: heads.body.heads as object })
    // Others may have written to the common chat meanwhile.
    const more = (after?.body.conversations as Conversation[] | undefined)?.find(({ conversationId }) => conversationId !== 'common_chat')
    if (more !== undefined) this.follower(more.conversationId).problems.push(`got ${more.changes.length} changes behind the head, when all was quiet`)
  }

  private apply ({ conversationId, changes, cursor, hasMore, reset = false }: Conversation, limit: number): void {
    const follower = this.follower(conversationId)
    const messages = changes.flatMap(({ message }) => message === undefined ? [] : [message])
    const old = this.cursors.get(conversationId)
    if (reset) {
      follower.held.clear()
      this.beginning.add(conversationId)
    }
    for (const message of messages) {
      const held = follower.held.get(message._id)
      if (held === undefined || held.rev <= message.rev) follower.held.set(message._id, message)
      this.stage.history.see('in a sync answer', message, Date.now())
    }
    if (this.beginning.has(conversationId)) {
      const after = wholeAfter({ reset, hasMore }, messages, follower.held.values())
      follower.afterSeq = after ?? Infinity
      if (after !== undefined) this.beginning.delete(conversationId)
    }
    follower.pages.push({ limit, revs: changes.map(({ rev }) => rev), createdAt: [], hasMore, reset, sameCursor: old === cursor })
    this.cursors.set(conversationId, cursor)
  }

  private follower (conversationId: string): Follower {
    let follower = this.followers.get(conversationId)
    if (follower === undefined) {
      follower = {
        name: `a client of ${this.me.name} that follows POST /api/sync`,
        userId: this.me.id,
        conversationId,
        knows: 'sync',
        finished: false,
        afterSeq: 0,
        held: new Map(),
        pages: [],
        problems: []
      }
      this.followers.set(conversationId, follower)
      this.stage.history.followers.push(follower)
    }
    return follower
  }
}

/**
 * A client that was reset must get every message above this seq. Undefined: this response does not say yet. The
 * response with the reset holds the first part of the newest page; older messages are fetched as history. The next
 * responses continue by rev, and mix changes of older messages with those of the page: only the last one shows the seq.
 */
export function wholeAfter ({ reset, hasMore }: { reset: boolean, hasMore: boolean }, messages: ReadonlyArray<{ seq: number }>, held: Iterable<{ seq: number }>): number | undefined {
  if (reset && messages.length > 0) return Math.min(...messages.map(({ seq }) => seq)) - 1
  return hasMore ? undefined : Math.max(0, ...[...held].map(({ seq }) => seq))
}
