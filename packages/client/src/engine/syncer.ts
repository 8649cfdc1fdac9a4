import { TidelogError } from '../errors.ts'
import { applyAnswer } from '../pure/apply.ts'
import {
  type Follow, type Heads, type Scope, beginSync, connected, disconnected, endSync, failSync, forget, gaps, hear, hearAnswer, hearHeads, isDue, mustSync, take
} from '../pure/follow.ts'
import { type LiveEvent, toSynced } from '../pure/changes.ts'
import type { Patch } from '../pure/patch.ts'
import type { WireAnswer, WireConversation } from '../pure/wire.ts'
import type { Clock } from '../types.ts'
import type { Engine } from './engine.ts'
import type { RowWriter } from './row-writer.ts'

export interface SyncerOptions {
  rows: RowWriter
  clock: Clock
  random: () => number
  pull: (body: Question, signal: AbortSignal | undefined) => Promise<WireAnswer>
  /** It cannot continue by itself: the connection begins again. */
  onFailure: (error: unknown) => void
}

type Cursors = Record<string, string>

interface Question { cursors: Record<string, string | null>, only?: true, waitMs?: number }

interface SyncOptions { scope?: Scope | undefined, waitMs?: number | undefined, signal?: AbortSignal | undefined }

interface Page { asked: Cursors, answer: WireAnswer | undefined }

/** How long a change may be overtaken on its way before it counts as lost. */
const gapMs = 200

/** Follows the server: applies live changes in their order, and syncs what they do not bring. */
export class Syncer {
  private readonly options: SyncerOptions
  private readonly engine: Engine
  private follow: Follow = disconnected
  private incoming: LiveEvent[] = []
  private running: Promise<void> | undefined
  /** The sync that was asked for last, and all before it. */
  private turn: Promise<void> = Promise.resolve()
  /** Ends the long poll under way, and what is left of its sync. */
  private endPoll = () => {}
  private isLive = false
  private connection = new AbortController()
  /** Counts connections: what was asked on an earlier one is not taken any more. */
  life = 0
  private isStopped = false
  private cancelGap: (() => void) | undefined
  private waiting: Array<{ resolve: () => void, reject: (error: unknown) => void }> = []
  readonly counters = { syncs: 0, answers: 0, applied: 0, gaps: 0 }

  constructor (options: SyncerOptions) {
    this.options = options
    this.engine = options.rows.engine
  }

  /** The server sends live changes from now on, and says where conversations stand. Resolves when all is here. */
  async begin (heads: Heads): Promise<void> {
    const { self, conversations } = this.engine
    const { life } = this
    this.isLive = true
    await this.turn
    this.checkLife(life)
    this.follow = connected(this.follow, heads, id => {
      if (id === 'self') return self.cursor
      const record = conversations.get(id)
      return record === undefined || record.isFresh ? undefined : record.cursor
    })
    await this.settled()
  }

  /** Nothing comes live any more. */
  end (): void {
    if (this.isLive) this.follow = disconnected
    this.isLive = false
    this.connection.abort()
    this.connection = new AbortController()
    this.life++
    this.incoming = []
    this.cancelGap?.()
    this.cancelGap = undefined
    for (const { reject } of this.waiting.splice(0)) reject(new TidelogError({ code: 'OFFLINE' }))
  }

  hear (events: readonly LiveEvent[]): void {
    if (!this.isLive) return
    this.incoming.push(...events)
    this.wake()
  }

  hearHeads (heads: Readonly<Record<string, number>>): void {
    // What was sent before is on its way through the queue.
    this.incoming.length > 0 ? this.hearLater(() => hearHeads(this.follow, heads)) : this.hearNow(hearHeads(this.follow, heads))
  }

  private hearLater (change: () => Follow): void {
    const { life } = this
    // An earlier connection may have been one to a database that was restored since.
    void Promise.resolve(this.running).then(() => { if (this.isLive && life === this.life) this.hearNow(change()) })
  }

  private hearNow (follow: Follow): void {
    this.follow = follow
    this.wake()
  }

  mustSync (scope: Scope): void {
    this.hearNow(mustSync(this.follow, scope))
  }

  /** Resolves when `scope` is here as it stands now. */
  async bring (scope: Scope, signal?: AbortSignal): Promise<void> {
    if (this.isLive) {
      // A connection that begins waits for the sync before it, and then says anew what is due.
      await this.turn
      this.mustSync(scope)
      // When the connection ends meanwhile, it is asked for without one.
      if (await this.settled().then(() => true, () => false)) return
    }
    await this.sync({ scope, signal })
  }

  /** Resolves when nothing is due any more; rejects if nothing comes live. */
  private async settled (): Promise<void> {
    if (!this.isLive) throw new TidelogError({ code: 'OFFLINE' })
    const done = new Promise<void>((resolve, reject) => { this.waiting.push({ resolve, reject }) })
    this.wake()
    await done
  }

  private wake (): void {
    if (this.running !== undefined || !this.isLive) return
    const { life } = this
    this.running = this.run().then(() => {
      for (const { resolve } of this.waiting.splice(0)) resolve()
    }, (error: unknown) => {
      // What went wrong on an earlier connection says nothing of this one.
      if (life !== this.life) return
      for (const { reject } of this.waiting.splice(0)) reject(error)
      this.end()
      this.options.onFailure(error)
    }).finally(() => {
      this.running = undefined
      if (this.incoming.length + this.waiting.length > 0 || isDue(this.follow)) this.wake()
    })
  }

  private async run (): Promise<void> {
    // One that was asked for before the connection was there: what is due meanwhile is not begun.
    await this.turn
    while (this.isLive) {
      await this.apply()
      if (isDue(this.follow)) await this.sync({ signal: this.connection.signal })
      else if (this.incoming.length === 0) break
    }
    if (gaps(this.follow).length > 0) this.cancelGap ??= this.options.clock.after(gapMs + this.options.random() * gapMs, () => { this.fillGaps() })
  }

  private fillGaps (): void {
    this.cancelGap = undefined
    const late = gaps(this.follow)
    this.counters.gaps += late.length
    if (late.length > 0) this.mustSync(new Set(late))
  }

  /** Everything that comes next, in one step. */
  private async apply (): Promise<void> {
    await this.engine.write(async () => {
      this.follow = hear(this.follow, this.incoming.splice(0))
      const { events, follow } = take(this.follow)
      const { follow: known, life } = this
      this.follow = follow
      if (events.length === 0) return
      try {
        const patch = await this.options.rows.applyLive(events)
        this.counters.applied += events.length
        this.after(patch)
      } catch (error) {
        if (life === this.life) this.follow = known
        throw error
      }
    })
  }

  /**
   * Syncs what is due and `scope`, to the end. Syncs run one after another, because they share state. For `waitMs` the
   * server waits for a change; if another sync is requested meanwhile, this one ends.
   */
  async sync (options: SyncOptions = {}): Promise<void> {
    this.endPoll()
    const poll = new AbortController()
    this.endPoll = () => { if (options.waitMs !== undefined) poll.abort() }
    const done = this.turn.then(() => this.inTurn(options, poll.signal))
    this.turn = done.catch(() => {})
    await done
  }

  private async inTurn ({ scope, waitMs, signal }: SyncOptions, poll: AbortSignal): Promise<void> {
    if (scope !== undefined) this.follow = mustSync(this.follow, scope)
    if (waitMs !== undefined) await this.poll(waitMs, poll, signal)
    // Your own log may name conversations that are yours since.
    while (isDue(this.follow) && !poll.aborted) await this.toEnd(signal)
  }

  private async poll (waitMs: number, poll: AbortSignal, signal: AbortSignal | undefined): Promise<void> {
    try {
      if (!poll.aborted) await this.toEnd(signal, waitMs, poll)
    } catch (error) {
      if (!poll.aborted) throw error
    }
  }

  /** @param poll aborts the first call, in which the server waits */
  private async toEnd (signal: AbortSignal | undefined, waitMs?: number, poll?: AbortSignal): Promise<void> {
    const { engine } = this
    const life = this.isLive ? this.life : undefined
    this.checkLife(life)
    this.follow = beginSync(this.follow)
    this.counters.syncs++
    try {
      let page = this.ask(this.cursors(), either(signal, poll), waitMs)
      for (let hasMore = true; hasMore;) {
        const { asked, answer } = await page
        // The next page is on its way while this one is stored.
        const ahead = answer === undefined ? undefined : cursorsAfter(asked, answer)
        if (ahead !== undefined) page = this.ask(ahead, signal)
        if (answer !== undefined) await this.take(answer, asked, life)
        hasMore = answer?.hasMore ?? true
        if (hasMore && ahead === undefined) page = this.ask(this.cursors(), signal)
      }
    } catch (error) {
      if (this.isOf(life)) this.follow = failSync(this.follow)
      throw error
    }
    this.checkLife(life)
    this.follow = endSync(this.follow, id => id === 'self' || engine.conversations.has(id))
  }

  /** For good: another leader follows the server from now on. */
  stop (): void {
    this.isStopped = true
    this.end()
  }

  /** Undefined: it was no sync of a live connection, and the next one waits for it. */
  private isOf (life: number | undefined): boolean {
    return !this.isStopped && (life === undefined || life === this.life)
  }

  private checkLife (life: number | undefined): void {
    if (!this.isOf(life)) throw new TidelogError({ code: 'OFFLINE' })
  }

  private ask (asked: Cursors, signal: AbortSignal | undefined, waitMs?: number): Promise<Page> {
    const page = this.pull({ ...this.question(asked), ...(waitMs === undefined ? {} : { waitMs }) }, signal)
      .then(answer => ({ asked, answer }))
    // Nobody waits for one that was asked for ahead, if the page before it fails.
    page.catch(() => {})
    return page
  }

  /** Undefined: the cursors were no good, and are forgotten. */
  private async pull (question: Question, signal: AbortSignal | undefined): Promise<WireAnswer | undefined> {
    try {
      return await this.options.pull(question, signal)
    } catch (error) {
      if (!(error instanceof TidelogError) || error.code !== 'BAD_CURSOR') throw error
      // What it stands for cannot be said any more: everything begins anew, the outbox and drafts excepted.
      await this.options.rows.write(patch => {
        if (patch.selfNow.cursor === '' && this.engine.conversations.size === 0) throw error
        patch.dropAll()
        patch.changeSelf({ cursor: '', rev: 0 })
        return true
      })
      return undefined
    }
  }

  /** Who knows what changed asks for that alone. */
  private question (cursors: Cursors): Question {
    const { scope } = this.follow
    if (scope === null || scope === 'all') return { cursors }
    return { cursors: Object.fromEntries([...scope].map(id => [id, cursors[id] ?? null])), only: true }
  }

  private cursors (): Cursors {
    const { self, conversations } = this.engine
    const cursors: Cursors = self.cursor === '' ? {} : { self: self.cursor }
    for (const { id, cursor } of conversations.values()) if (cursor !== '') cursors[id] = cursor
    return cursors
  }

  private async take ({ conversations }: WireAnswer, asked: Cursors, life: number | undefined): Promise<void> {
    const { engine, options: { rows } } = this
    this.counters.answers++
    if (conversations.length === 0) return
    await engine.write(async () => {
      this.checkLife(life)
      const { fresh, late } = this.sift(conversations, asked)
      if (late.length > 0) this.follow = mustSync(this.follow, new Set(late))
      const synced = fresh.map(toSynced)
      const patch = rows.patch()
      applyAnswer(patch, synced, this.follow.scope === null || this.follow.scope === 'all')
      await rows.commit(patch)
      this.checkLife(life)
      this.follow = hearAnswer(this.follow, synced)
      this.after(patch)
    })
  }

  /**
   * Another sync may have been quicker. Drops changes from an older cursor, and conversations that were not held if the
   * self log has said since then that they are no longer yours.
   */
  private sift (conversations: readonly WireConversation[], asked: Cursors) {
    const held = this.cursors()
    const isSame = (id: string) => held[id] === asked[id]
    const isFresh = (id: string) => isSame(id) && (asked[id] !== undefined || isSame('self'))
    const fresh = conversations.filter(({ conversationId }) => isFresh(conversationId))
    return { fresh, late: conversations.flatMap(({ conversationId: id }) => isFresh(id) ? [] : id) }
  }

  private after (patch: Patch): void {
    const dropped = [...patch.conversations].flatMap(([id, record]) => record === null ? [id] : [])
    if (dropped.length > 0) this.follow = forget(this.follow, dropped)
    if (patch.isAllDue || patch.due.size > 0) this.follow = mustSync(this.follow, patch.isAllDue ? 'all' : patch.due)
  }
}

function either (...signals: Array<AbortSignal | undefined>): AbortSignal {
  return AbortSignal.any(signals.filter(signal => signal !== undefined))
}

/**
 * Where the page after this one begins; undefined: it is the last, or what it brings decides what is asked for next (your
 * own log, a log that begins anew).
 */
function cursorsAfter (asked: Cursors, { hasMore, conversations }: WireAnswer): Cursors | undefined {
  const isPlain = conversations.every(({ conversationId, reset }) => conversationId !== 'self' && reset !== true)
  if (!hasMore || !isPlain) return undefined
  return { ...asked, ...Object.fromEntries(conversations.map(({ conversationId, cursor }) => [conversationId, cursor])) }
}
