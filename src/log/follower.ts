import { setTimeout as delay } from 'node:timers/promises'
import type { ConversationLog } from './conversation-log.ts'
import { type Head, type LogRow, type Rev, revOf } from './model/types.ts'
import { type PositionCollection, Positions } from './positions.ts'
import { changesAfter, pageEndRev } from './read/page.ts'

/**
 * A job behind the log: it handles every change of every conversation, after the commit and at its own pace. A position
 * for each conversation says how far it has come. It handles changes before it moves the position. So a change may be
 * handled twice, by one process after a crash or by two processes at once, and is never left out.
 */

/** Changes of one conversation, after the position `from` up to `to`. */
export interface Followed {
  head: Head
  rows: LogRow[]
  from: Rev
  to: Rev
}

export interface FollowerOptions {
  /** Its positions are kept under this name. */
  name: string
  /** Handles the changes of some conversations. Handling them again must change nothing. */
  handle: (followed: Followed[]) => Promise<void>
  /** Called when a try failed; the follower tries again. */
  onError: (error: unknown) => void
}

/** Ids of self logs are above those of all conversations that hold messages. */
const conversationsEnd = 'self_'
const headsAtOnce = 500
const conversationsAtOnce = 16
/**
 * Rows that are handled at once, of one conversation and of all, while nobody writes and while somebody does. Many rows
 * of one conversation cost less than few of many, because what they change is close together on the disk.
 */
const rowsAtOnce = { calm: { ofOne: 512, ofAll: 1_024 }, busy: { ofOne: 8, ofAll: 128 } }
/** Above this many known conversations, further ones are found by comparing heads again. */
const behindMax = 20_000
/** Milliseconds after a commit in which further ones are taken along. */
const wakeMs = 250
/** Milliseconds after the start before heads are compared. */
const startMs = 1_000
/** Milliseconds between two comparisons, where another process may have ended before it handled its commits. */
const compareEveryMs = 300_000
/** While somebody writes, the follower rests this many times as long as it has worked. */
const restFactor = 12
const restStepMs = 50
const restMsMax = 3_000
const retryMs = { first: 1_000, max: 60_000 }

export class Follower {
  private readonly log: ConversationLog
  private readonly options: FollowerOptions
  private readonly positions: Positions
  /** Conversations that may have changes above their position. */
  private readonly behind = new Set<string>()
  /** Heads after this id are not compared yet; undefined: all are. */
  private comparedTo: string | undefined = ''
  private commits = 0
  private isStepping = false
  private timer: NodeJS.Timeout | undefined
  private running: Promise<void> | undefined
  private retryMs = retryMs.first
  private readonly stop = new AbortController()
  private readonly unsubscribe: () => void
  private readonly comparing: NodeJS.Timeout | undefined

  constructor (log: ConversationLog, positions: PositionCollection, options: FollowerOptions) {
    this.log = log
    this.options = options
    this.positions = new Positions(positions, options.name)
    this.unsubscribe = log.onCommitted(({ heads, isRemote }) => {
      this.commits++
      // The process that committed it handles it.
      if (isRemote !== true) this.note(heads.filter(({ kind }) => kind !== 'self').map(({ _id }) => _id))
    }, ids => { this.note(ids.filter(id => id < conversationsEnd)) })
    this.comparing = log.isSoleWriter ? undefined : setInterval(() => { this.compareAll() }, compareEveryMs).unref()
    this.wakeIn(startMs)
  }

  /** Up to which rev each conversation is handled, or further. */
  handledOf (heads: Iterable<{ _id: string, headRev: Rev }>): Promise<Map<string, Rev>> {
    return this.positions.of(heads, this.log.isSoleWriter)
  }

  /** Conversations that are known to have unhandled changes. It is never 0 before all heads are compared. */
  get waiting (): number {
    return this.behind.size + Number(!this.hasCompared) + Number(this.isStepping)
  }

  /** Have all heads been compared since the start? */
  get hasCompared (): boolean {
    return this.comparedTo === undefined
  }

  /** Handles at once what there is. Resolves when nothing is left. */
  async catchUp (): Promise<void> {
    do {
      clearTimeout(this.timer)
      await this.run()
    } while ((this.behind.size > 0 || !this.hasCompared) && !this.stop.signal.aborted)
  }

  /** Ends the running step, and waits for it. */
  async close (): Promise<void> {
    this.unsubscribe()
    clearInterval(this.comparing)
    clearTimeout(this.timer)
    this.stop.abort()
    await this.running
  }

  private note (ids: readonly string[]): void {
    for (const id of ids) {
      if (this.behind.size < behindMax) this.behind.add(id)
      else this.comparedTo = ''
    }
    if (ids.length > 0) this.wakeIn(wakeMs)
  }

  private compareAll (): void {
    this.comparedTo = ''
    this.wakeIn(0)
  }

  private wakeIn (ms: number): void {
    if (this.timer !== undefined || this.running !== undefined || this.stop.signal.aborted) return
    this.timer = setTimeout(() => { void this.run() }, ms).unref()
  }

  private run (): Promise<void> {
    this.timer = undefined
    this.running ??= this.work().finally(() => {
      this.running = undefined
      if (this.behind.size > 0 || !this.hasCompared) this.wakeIn(this.retryMs)
    })
    return this.running
  }

  private async work (): Promise<void> {
    try {
      while (!this.stop.signal.aborted) {
        if (this.behind.size < conversationsAtOnce && this.comparedTo !== undefined) await this.compareSome()
        if (this.behind.size === 0) {
          if (this.hasCompared) break
          continue
        }
        const { commits } = this
        const start = performance.now()
        await this.step()
        this.retryMs = retryMs.first
        if (this.commits !== commits) await this.rest(performance.now() - start)
      }
    } catch (error) {
      this.retryMs = Math.min(this.retryMs * 2, retryMs.max)
      if (!this.stop.signal.aborted) this.options.onError(error)
    }
  }

  /** Notes those of the next heads that are above their position. */
  private async compareSome (): Promise<void> {
    const from = this.comparedTo!
    const heads = await this.log.collections.heads.find({ _id: { $gt: from, $lt: conversationsEnd } })
      .project<Pick<Head, '_id' | 'headRev'>>({ headRev: 1 })
      .sort({ _id: 1 }).limit(headsAtOnce).batchSize(headsAtOnce + 1).toArray()
    const positions = await this.handledOf(heads)
    for (const { _id, headRev } of heads) if (headRev > positions.get(_id)!) this.behind.add(_id)
    // A new comparison may have been asked for meanwhile.
    if (this.comparedTo === from) this.comparedTo = heads.length < headsAtOnce ? undefined : heads.at(-1)!._id
  }

  /** Handles some changes of some conversations, those first that wait longest. */
  private async step (): Promise<void> {
    const ids: string[] = []
    for (const id of this.behind) if (ids.push(id) === conversationsAtOnce) break
    // A commit from here on notes its conversation again.
    for (const id of ids) this.behind.delete(id)
    this.isStepping = true
    try {
      const followed = await this.read(ids)
      if (followed.length === 0) return
      await this.options.handle(followed)
      const moves = followed.map(({ head, from, to }) => ({ conversationId: head._id, from, to }))
      // Whoever has moved a position may not have come as far.
      if (!await this.positions.move(moves)) for (const { conversationId } of moves) this.behind.add(conversationId)
    } catch (error) {
      for (const id of ids) this.behind.add(id)
      throw error
    } finally {
      this.isStepping = false
    }
  }

  /** The next changes of these conversations. Those of which there are more, or none was read, are noted again. */
  private async read (ids: readonly string[]): Promise<Followed[]> {
    const heads = await this.log.heads(ids)
    const positions = await this.handledOf(heads.values())
    const { ofOne, ofAll } = this.isBusy ? rowsAtOnce.busy : rowsAtOnce.calm
    const followed: Followed[] = []
    let left = ofAll
    for (const head of heads.values()) {
      const from = positions.get(head._id) ?? revOf(0)
      if (head.headRev <= from) continue
      if (left === 0) {
        this.behind.add(head._id)
        continue
      }
      const page = await changesAfter(this.log.collections, head._id, from, Math.min(ofOne, left))
      if (page.hasMore) this.behind.add(head._id)
      left -= page.rows.length
      followed.push({ head, rows: page.rows.map(row => row.decode()), from, to: pageEndRev(page, head, from) })
    }
    return followed
  }

  private get isBusy (): boolean {
    const { waiting, running } = this.log.commitLoad
    return waiting + running > 0
  }

  /** Yields to writers. The wait ends early when nobody writes any more. */
  private async rest (workedMs: number): Promise<void> {
    for (let leftMs = Math.min(workedMs * restFactor, restMsMax); leftMs > 0; leftMs -= restStepMs) {
      const { commits } = this
      await delay(Math.min(leftMs, restStepMs), undefined, { signal: this.stop.signal, ref: false }).catch(() => {})
      if (this.stop.signal.aborted || (this.commits === commits && !this.isBusy)) return
    }
  }
}
