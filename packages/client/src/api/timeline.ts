import type { Changed, Core } from '../core.ts'
import { isOfOutbox } from '../engine/engine.ts'
import { asTidelogError, toFailure } from '../errors.ts'
import { rangeAt } from '../pure/ranges.ts'
import type { ConversationRecord, Row } from '../pure/state.ts'
import { Viewer } from '../pure/view.ts'
import { Computed, Value } from '../readable.ts'
import { inTurns } from '../turns.ts'
import type { CallOptions, Message, Readable, Timeline } from '../types.ts'

type Place = 'unread' | 'newest' | number

/** Rows in one window; beyond that its far end is let go. */
const rowsMax = 1_000

/** A window of seqs, always within one range that is held whole, so that it never shows a hole. */
export class TimelineWindow implements Timeline {
  private readonly core: Core
  private readonly id: string
  private readonly pageSize: number
  private readonly viewer = new Viewer()
  private rows: Row[] = []
  private lo = 0
  private hi = 0
  /** The window ends with the newest message, and takes in each new one. */
  private hasEnd = false
  /** Not placed yet: nothing is held here. */
  private place: Place | undefined
  private generation = ''
  private readonly serially = inTurns()
  private isClosed = false
  /** Rows are being read: until they are here, what is shown stays as it is. */
  private isReading = false
  private isOutdated = false
  private readonly end: () => void
  private readonly shown = new Computed<readonly Message[]>(() => this.show())
  private readonly older = new Value(false)
  private readonly newer = new Value(false)
  private readonly state = new Value<{ older: boolean, newer: boolean, error?: ReturnType<typeof toFailure> | undefined }>({ older: false, newer: false })
  readonly ready: Promise<void>
  unreadAfter: number | null = null

  constructor (core: Core, id: string, { at = 'unread', pageSize = 50 }: { at?: Place, pageSize?: number } = {}) {
    this.core = core
    this.id = id
    this.pageSize = pageSize
    this.place = at
    this.end = core.changed.add(changed => { this.take(changed) })
    this.noteUnread()
    this.ready = this.serially(() => this.settle()).catch(() => {})
  }

  get messages (): Readable<readonly Message[]> { return this.shown }
  get hasOlder (): Readable<boolean> { return this.older }
  get hasNewer (): Readable<boolean> { return this.newer }
  get loading (): Timeline['loading'] { return this.state }

  readonly loadOlder = (options: CallOptions = {}): Promise<void> => this.load('older', () => this.growOlder(options))
  readonly loadNewer = (options: CallOptions = {}): Promise<void> => this.load('newer', () => this.growNewer(options))

  readonly jumpTo = (place: Place, options: CallOptions = {}): Promise<void> => this.load('older', async () => {
    this.place = place
    await this.settle(options)
  })

  readonly close = (): void => {
    this.isClosed = true
    this.end()
  }

  private get record (): ConversationRecord | undefined {
    return this.core.engine?.conversations.get(this.id)
  }

  /** Nothing before it is there for this user. */
  private get firstSeq (): number {
    return (this.core.engine?.goneThrough(this.id) ?? 0) + 1
  }

  private noteUnread (): void {
    const { record } = this
    this.unreadAfter = record !== undefined && record.unreadCount > 0 ? this.core.signedIn.readSeq(this.id) : null
  }

  private async load (side: 'older' | 'newer', work: () => Promise<void>): Promise<void> {
    await this.serially(async () => {
      this.state.set({ ...this.state.get(), [side]: true, error: undefined })
      try {
        await work()
        this.state.set({ ...this.state.get(), [side]: false })
      } catch (thrown) {
        const error = asTidelogError(thrown)
        this.state.set({ ...this.state.get(), [side]: false, ...(error.code === 'ABORTED' ? {} : { error: toFailure(error) }) })
        throw error
      }
    })
  }

  private take (changed: Changed): void {
    if (this.isClosed) return
    if (changed === 'all') return this.settleSoon()
    const { drop, dropRows, rows = [], conversations, self } = changed.batch
    // What begins anew, and what you see more or less of, is read again.
    if (self !== undefined || drop?.includes(this.id) === true || dropRows?.includes(this.id) === true) return this.settleSoon()
    const news = rows.filter(({ conversationId }) => conversationId === this.id)
    const isMine = news.length > 0 || this.isNarrowed(changed) ||
      conversations?.some(({ id }) => id === this.id) === true
    if (isMine && this.place !== undefined) return this.settleSoon()
    if (this.isReading) {
      this.isOutdated ||= isMine
      return
    }
    // In one step with the outbox: a message that was answered does not go away for a moment.
    if (isMine) this.merge(news)
    else if (isOfOutbox(changed.batch)) this.shown.invalidate()
  }

  private isNarrowed ({ batch: { add = [], put = [], settle = [] } }: Exclude<Changed, 'all'>): boolean {
    return [...add, ...put, ...settle].some(({ conversationId, work: { type } }) =>
      conversationId === this.id && type === 'settings')
  }

  private settleSoon (): void {
    this.isOutdated = true
    void this.serially(() => this.settle()).catch(() => {})
  }

  private merge (news: readonly Row[]): void {
    const { record } = this
    if (record === undefined) return this.settleSoon()
    if (this.hasEnd) this.hi = record.top
    this.lo = Math.max(this.lo, this.firstSeq, rangeAt(record.ranges, this.hi)?.[0] ?? 0)
    const bySeq = new Map(this.rows.map(row => [row.seq, row]))
    for (const row of news) {
      if (row.rev > (bySeq.get(row.seq)?.rev ?? 0)) bySeq.set(row.seq, row)
    }
    const inside = [...bySeq.values()].filter(({ seq }) => seq >= this.lo && (this.hasEnd || seq <= this.hi))
    this.setRows(inside.sort((a, b) => a.seq - b.seq), record)
    if (this.lo > this.hi) this.settleSoon()
  }

  /** Takes a place if it has none, and reads what stands there now. */
  private async settle (options: CallOptions = {}): Promise<void> {
    const { record } = this
    // All that it showed is gone.
    if (this.place === undefined && Math.max(this.lo, this.firstSeq) > this.hi) this.place = 'newest'
    const isWhole = record !== undefined && !record.isFresh && record.ranges.length > 0
    // What begins anew may come in several pages: the window takes its place when the last is here.
    if (!isWhole || record.generation !== this.generation) this.place ??= this.hasEnd ? 'newest' : this.rows[0]?.seq ?? 'newest'
    if (!isWhole) return this.setRows([], record)
    this.generation = record.generation
    if (this.place !== undefined) await this.settleAt(this.place, record, options)
    await this.read()
  }

  private async settleAt (place: Place, record: ConversationRecord, options: CallOptions): Promise<void> {
    const { engine } = this.core
    if (place === 'unread' && this.unreadAfter === null) this.noteUnread()
    const seq = place === 'unread' ? this.unreadAfter ?? record.top : place === 'newest' ? record.top : Math.min(place, record.top)
    const half = Math.ceil(this.pageSize / 2)
    const isEnd = seq >= record.top
    const [from, to] = isEnd ? [seq - this.pageSize + 1, record.top] : [seq - half, Math.min(record.top, seq + half)]
    if (rangeAt(record.ranges, to) === undefined || rangeAt(record.ranges, to)![0] > Math.max(seq, this.firstSeq)) {
      try {
        await this.core.remotely('loadHistory', this.id, to + 1, this.pageSize, options.signal)
      } catch (error) {
        // Without a connection: the newest ones, which are here.
        if (place !== 'unread') throw error
        return await this.settleAt('newest', record, options)
      }
    }
    const now = this.record ?? record
    const range = rangeAt(now.ranges, Math.min(to, now.top))
    this.place = undefined
    if (range === undefined || engine === undefined) return
    this.lo = Math.max(range[0], from)
    this.hi = Math.min(range[1], to)
    this.hasEnd = this.hi >= now.top
  }

  /** Reads the window as it is held now. What changes meanwhile is not in it: then it is read again. */
  private async read (): Promise<void> {
    this.isReading = true
    try {
      let rows: Row[]
      do {
        this.isOutdated = false
        rows = await this.readRows()
      } while (this.isOutdated)
      this.setRows(rows, this.record)
    } finally {
      this.isReading = false
      this.shown.invalidate()
    }
  }

  private async readRows (): Promise<Row[]> {
    const { record, core: { engine } } = this
    if (record === undefined || engine === undefined) return []
    if (this.hasEnd) this.hi = record.top
    const range = rangeAt(record.ranges, this.hi)
    this.lo = Math.max(this.lo, this.firstSeq, range?.[0] ?? this.hi + 1)
    return await engine.rows(this.id, this.lo, this.hasEnd ? Infinity : this.hi)
  }

  private setRows (rows: Row[], record: ConversationRecord | undefined): void {
    this.rows = rows.length <= rowsMax ? rows : this.hasEnd ? rows.slice(-rowsMax) : rows.slice(0, rowsMax)
    if (rows.length > rowsMax) {
      this.lo = this.rows[0]!.seq
      if (!this.hasEnd) this.hi = this.rows.at(-1)!.seq
    }
    this.older.set(record !== undefined && record.ranges.length > 0 && this.lo > this.firstSeq)
    this.newer.set(record !== undefined && record.ranges.length > 0 && !this.hasEnd)
    this.shown.invalidate()
  }

  private async growOlder ({ signal }: CallOptions): Promise<void> {
    await this.settle()
    if (!this.older.get()) return
    const { record, core } = this
    let range = rangeAt(record!.ranges, this.lo)
    if (range === undefined || range[0] >= this.lo) {
      await core.remotely('loadHistory', this.id, this.lo, this.pageSize, signal)
      range = rangeAt(this.record?.ranges ?? [], this.lo)
    }
    if (range === undefined) return
    const rows = await core.signedIn.rows(this.id, range[0], this.lo - 1, this.pageSize)
    this.lo = rows.length < this.pageSize ? range[0] : rows[0]!.seq
    if (this.rows.length + rows.length > rowsMax) this.hasEnd = false
    await this.read()
  }

  private async growNewer ({ signal }: CallOptions): Promise<void> {
    await this.settle()
    if (this.hasEnd || this.record === undefined) return
    const to = Math.min(this.hi + this.pageSize, this.record.top)
    if ((rangeAt(this.record.ranges, this.hi)?.[1] ?? 0) < to) await this.core.remotely('loadHistory', this.id, to + 1, this.pageSize, signal)
    const { record } = this
    const range = rangeAt(record?.ranges ?? [], this.hi)
    if (record === undefined || range === undefined) return
    this.hi = Math.min(range[1], to)
    this.hasEnd = this.hi >= record.top
    if (this.rows.length > rowsMax - this.pageSize) this.lo = this.rows[this.pageSize]?.seq ?? this.lo
    await this.read()
  }

  private show (): readonly Message[] {
    const { record, core: { engine } } = this
    if (engine === undefined) return []
    const hasEnd = this.hasEnd || record === undefined || record.ranges.length === 0
    // Behind the newest one that is whole there may be your own, which are answered already.
    const isShown = engine.shownIn(this.id)
    const rows = this.rows.filter(row => (row.seq <= this.hi || row.senderId === engine.userId) && isShown(row))
    return this.viewer.show(rows, engine.operationsOf(this.id), hasEnd, engine.viewOf(this.id))
  }
}
