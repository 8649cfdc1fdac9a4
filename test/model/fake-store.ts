import { indexNames } from '../../src/log/model/collections.ts'
import { type Doc, duplicateKey, keyOf, matches, serverError, writeConflict } from './fake-values.ts'
import type { Schedule } from './schedule.ts'

interface UniqueIndex {
  name: string
  fields: string[]
}

interface Version {
  at: number
  doc: Doc | null
}

export interface FakeOptions {
  schedule: Schedule
  /** How likely a call is to go wrong, 0 to 1. */
  faults: number
  /** How likely a read of rows by their ids is to be older than what is committed. */
  lag?: number
  /** Left out of the unique indexes, for a mutant. */
  without?: readonly string[]
  /** Documents that the server does not take. */
  refuses?: (doc: Doc) => boolean
  /** Commits are on one server first, where they can still be lost to a failover: nobody reads them, or is told of them, before a majority has them. */
  replicates?: boolean
  /**
   * After a failover, what reads outside of transactions see is for some turns older than what a majority has. Unseen:
   * nodes are not told of a leader's first write.
   */
  elections?: boolean | 'unseen'
  /** Nodes wait for a new leader's first write. Default true. */
  waitsForLeader?: boolean
  /** Reads see what their node has seen, whoever leads. Default true. */
  isCausal?: boolean
  /** Called with what each commit wrote, before anybody can read it. */
  onApply?: (writes: Array<{ table: string, from: Doc | null, to: Doc | null }>) => void
}

const uniqueIndexes: Record<string, UniqueIndex[]> = {
  conversations: [],
  log: [
    { name: indexNames.byRev, fields: ['conversationId', 'rev'] },
    { name: indexNames.bySeq, fields: ['conversationId', 'seq'] },
    { name: indexNames.byClientId, fields: ['conversationId', 'senderId', 'clientMessageId'] }
  ],
  members: [{ name: 'user_conversation', fields: ['userId', 'conversationId'] }]
}

/** The rows with all their versions, and the transactions that are open. */
export class FakeStore {
  readonly options: FakeOptions
  readonly active = new Set<Transaction>()
  readonly tables = new Map<string, Map<string, Version[]>>(Object.keys(uniqueIndexes).map(name => [name, new Map()]))
  version = 0
  /** What a majority has. */
  durable = 0
  /** What the leader knows a majority to have: all that is read outside of transactions. */
  readable = 0
  /** Another one after each failover. */
  term = 0
  /** The first write of the leader: behind all that a majority had. */
  electedAt = 0
  private readonly behind: Array<{ version: number, writes: Array<{ table: string, from: Doc | null, to: Doc | null }> }> = []

  constructor (options: FakeOptions) {
    this.options = options
  }

  read (table: string, id: string, at = Infinity): Doc | null {
    const versions = this.tables.get(table)!.get(id) ?? []
    for (let i = versions.length - 1; i >= 0; i--) if (versions[i]!.at <= at) return versions[i]!.doc
    return null
  }

  all (table: string, at = Infinity): Doc[] {
    return [...this.tables.get(table)!.keys()].flatMap(id => this.read(table, id, at) ?? [])
  }

  /** Ids of other documents of `view` that share a unique key with `doc`, by index name. */
  holder (table: string, doc: Doc, others: Iterable<Doc>): string | undefined {
    const indexes = uniqueIndexes[table]!.filter(({ name }) => this.options.without?.includes(name) !== true)
    for (const other of others) {
      if (keyOf(other._id) === keyOf(doc._id)) continue
      // The unique ones on optional fields are partial: a document without the last field is not in them.
      const index = indexes.find(({ fields }) => doc[fields.at(-1)!] !== undefined && fields.every(field => keyOf(doc[field]) === keyOf(other[field])))
      if (index !== undefined) return index.name
    }
    return undefined
  }

  isHeld (key: string): boolean {
    return [...this.active].some(transaction => transaction.writes.has(key))
  }

  apply (transaction: Transaction): void {
    if (!this.active.delete(transaction)) return
    const writes = [...transaction.writes.values()].map(write => ({ ...write, from: this.read(write.table, write.id) }))
    const version = ++this.version
    transaction.appliedAt = version
    this.behind.push({ version, writes })
    if (this.options.replicates === true) void this.replicate(version)
    else this.confirm(version)
    for (const { table, id, to } of writes) {
      const rows = this.tables.get(table)!
      rows.set(id, [...(rows.get(id) ?? []), { at: version, doc: to }])
    }
  }

  /**
   * The last commit that an answer to a request of now must include, asked when the answer is made. If a leader was
   * elected unseen meanwhile, or has not settled yet, it may not know of other nodes' commits.
   */
  commitsKnown (seen: Seen): () => number {
    const { term, durable, readable } = this
    const known = Math.min(durable, seen.version)
    const mayLag = this.options.elections === 'unseen'
    return () => mayLag && (readable < durable || term !== this.term) ? known : durable
  }

  /** Another server leads from now on: what a majority did not have is gone, and so are all open transactions. */
  failover (): void {
    this.restore(this.durable)
    const { elections, schedule } = this.options
    if (elections !== true && elections !== 'unseen') return
    this.electedAt = this.durable
    this.readable = Math.max(0, this.durable - schedule.below(4))
    void this.settle()
  }

  /** The new leader learns that a majority has what it has. */
  private async settle (): Promise<void> {
    const { term, options: { schedule } } = this
    for (let turns = schedule.below(60); turns >= 0; turns--) await schedule.turn('server')
    if (term === this.term) this.readable = this.durable
  }

  /** The database as it was after that commit. */
  restore (version: number): void {
    this.term++
    this.active.clear()
    this.behind.length = 0
    this.version = this.durable = this.readable = version
    this.electedAt = Math.min(this.electedAt, version)
    for (const rows of this.tables.values()) for (const [id, versions] of rows) rows.set(id, versions.filter(({ at }) => at <= version))
  }

  private async replicate (version: number): Promise<void> {
    const { term, options: { schedule } } = this
    for (let turns = schedule.below(4); turns >= 0; turns--) await schedule.turn('server')
    if (term === this.term) this.confirm(version)
  }

  private confirm (version: number): void {
    while (this.behind.length > 0 && this.behind[0]!.version <= version) {
      const { version, writes } = this.behind.shift()!
      this.durable = this.readable = version
      this.options.onApply?.(writes)
    }
  }

  /** Transactions of a node that is gone: a commit that is on its way may still arrive, all else is aborted in time. */
  orphan (node: string, { isAlone = false } = {}): void {
    const { schedule } = this.options
    for (const transaction of this.active) {
      if (transaction.node !== node) continue
      const arrives = transaction.committing && schedule.chance(0.5)
      // A database that lives and dies with its only node keeps nothing for later.
      if (isAlone) arrives ? this.apply(transaction) : this.active.delete(transaction)
      else void schedule.turn('server').then(() => { arrives ? this.apply(transaction) : this.active.delete(transaction) })
    }
  }
}

/** How far a node has seen the database: its driver's operation time. */
export class Seen {
  version = 0

  advance (version: number): void {
    this.version = Math.max(this.version, version)
  }
}

export class Transaction {
  readonly node: string
  readonly snapshot: number
  readonly term: number
  readonly writes = new Map<string, { table: string, id: string, to: Doc | null }>()
  committing = false
  /** The version that it made. */
  appliedAt: number | undefined
  private readonly mongo: FakeStore

  constructor (mongo: FakeStore, node: string) {
    this.mongo = mongo
    this.node = node
    this.snapshot = mongo.version
    this.term = mongo.term
    mongo.active.add(this)
  }

  view (table: string, id: string): Doc | null {
    const written = this.writes.get(`${table} ${id}`)
    return written === undefined ? this.mongo.read(table, id, this.snapshot) : written.to
  }

  insert (table: string, doc: Doc): void {
    if (this.mongo.options.refuses?.(doc) === true) throw serverError(10334, 'The document is refused', [])
    this.fresh(table, keyOf(doc._id))
    if (this.view(table, keyOf(doc._id)) !== null) throw duplicateKey(table, '_id_')
    this.write(table, doc)
  }

  /** Returns the number of documents matched. */
  update (table: string, filter: Doc, change: (doc: Doc) => Doc | null): number {
    const id = keyOf(filter._id)
    const doc = this.view(table, id)
    if (doc === null || !matches(doc, filter)) return 0
    this.fresh(table, id)
    const to = change(doc)
    if (to === null) this.writes.set(`${table} ${id}`, { table, id, to })
    else this.write(table, to)
    return 1
  }

  private write (table: string, doc: Doc): void {
    const own = [...this.writes.values()].filter(write => write.table === table)
    const hidden = new Set(own.map(({ id }) => id))
    const visible = (at: number) => this.mongo.all(table, at).filter(other => !hidden.has(keyOf(other._id)))
    const taken = this.mongo.holder(table, doc, [...visible(this.snapshot), ...own.flatMap(({ to }) => to ?? [])])
    if (taken !== undefined) throw duplicateKey(table, taken)
    const elsewhere = [...this.mongo.active].filter(other => other !== this)
      .flatMap(other => [...other.writes.values()]).flatMap(write => write.table === table && write.to !== null ? [write.to] : [])
    if (this.mongo.holder(table, doc, [...visible(Infinity), ...elsewhere]) !== undefined) throw writeConflict()
    this.writes.set(`${table} ${keyOf(doc._id)}`, { table, id: keyOf(doc._id), to: doc })
  }

  /** First writer wins: a document that somebody else writes, or wrote after our snapshot, is a conflict at once. */
  private fresh (table: string, id: string): void {
    const stale = (this.mongo.tables.get(table)!.get(id)?.at(-1)?.at ?? 0) > this.snapshot
    const held = [...this.mongo.active].some(other => other !== this && other.writes.has(`${table} ${id}`))
    if (stale || held) throw writeConflict()
  }
}
