import {
  type Batch, type ConversationRecord, type Person, type Row, type SelfRecord, type State, emptyConversation, kindOf
} from './state.ts'

/** The changes of one step, to be stored and then shown. Made from a state, which it does not change. */
export class Patch {
  readonly userId: string
  private readonly before: State
  self: SelfRecord | undefined
  /** Null: dropped. */
  readonly conversations = new Map<string, ConversationRecord | null>()
  readonly dropRows = new Set<string>()
  readonly purged = new Map<string, number>()
  readonly hidden = new Map<string, readonly number[]>()
  rows: Row[] = []
  readonly users = new Map<string, Person>()
  /** Conversations whose unread messages must be counted by their rows. */
  readonly recount = new Set<string>()
  /** Conversations whose newest message is gone: which one is it now? */
  readonly lastGone = new Set<string>()
  /** What others wrote, for whoever waits for it. */
  news: Row[] = []
  /** Conversations that may show more than before: they must be synced. */
  readonly due = new Set<string>()
  isAllDue = false
  /** The server's database is another one than before. */
  isAnew = false

  constructor (before: State, userId: string) {
    this.before = before
    this.userId = userId
  }

  get selfNow (): SelfRecord {
    return this.self ?? this.before.self
  }

  get (id: string): ConversationRecord | undefined {
    const changed = this.conversations.get(id)
    return changed === undefined ? this.isAnew ? undefined : this.before.conversations.get(id) : changed ?? undefined
  }

  put (record: ConversationRecord): void {
    this.conversations.set(record.id, record)
  }

  change (id: string, change: (record: ConversationRecord) => Partial<ConversationRecord>): void {
    const record = this.get(id)
    if (record !== undefined) this.put({ ...record, ...change(record) })
  }

  changeSelf (change: Partial<SelfRecord>): void {
    this.self = { ...this.selfNow, ...change }
  }

  drop (id: string): void {
    if (this.get(id) === undefined) return
    this.conversations.set(id, null)
    this.forget(id)
  }

  /** Without messages, as if it were new; what was marked as read here stays so. */
  reset (id: string): void {
    const record = this.get(id)
    this.forget(id)
    this.put({
      ...emptyConversation(id, record?.kind ?? kindOf(id)),
      localReadSeq: record?.localReadSeq ?? 0,
      purgedSeq: this.selfNow.settings[id]?.clearedSeq ?? 0
    })
  }

  dropAll (): void {
    for (const id of this.before.conversations.keys()) this.drop(id)
    this.isAnew = true
  }

  private forget (id: string): void {
    this.dropRows.add(id)
    this.purged.delete(id)
    this.hidden.delete(id)
    this.removeRows(id, () => true)
  }

  removeRows (id: string, isGone: (seq: number) => boolean): void {
    const stays = ({ conversationId, seq }: Row) => conversationId !== id || !isGone(seq)
    this.rows = this.rows.filter(stays)
    this.news = this.news.filter(stays)
  }

  /** Purged, or cleared or deleted by you for yourself: it is stored no more, however late it comes. */
  isGone (id: string, seq: number): boolean {
    return seq <= (this.get(id)?.purgedSeq ?? 0) || this.selfNow.settings[id]?.hiddenSeqs.includes(seq) === true
  }

  toBatch (): Batch {
    const changed = [...this.conversations]
    return {
      drop: changed.flatMap(([id, record]) => record === null ? [id] : []),
      dropRows: [...this.dropRows],
      purge: [...this.purged],
      hide: [...this.hidden],
      rows: this.rows,
      conversations: changed.flatMap(([, record]) => record ?? []),
      ...(this.self === undefined ? {} : { self: this.self }),
      users: [...this.users.values()]
    }
  }
}
