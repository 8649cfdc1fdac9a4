import { BSON, MongoServerError, ObjectId, type MongoClient } from 'mongodb'
import { type LogCollections, indexNames } from '../../src/log/collections.ts'
import type { Schedule } from './schedule.ts'

/**
 * The few driver calls that the log makes, over one store in memory: snapshot transactions that conflict on the first
 * write (as WiredTiger's do), unique indexes, lost replies, and commits that are applied late. The order of every
 * call and reply is the schedule's.
 */

export type Doc = Record<string, unknown> & { _id: unknown }

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
  /** How likely a read of rows by their ids is to be older than what is committed. (Majority reads of a primary just elected can be.) */
  lag?: number
  /** Left out of the unique indexes, for a mutant. */
  without?: readonly string[]
  /** Documents that the server does not take. */
  refuses?: (doc: Doc) => boolean
  /** Commits are on one server first, where they can still be lost to a failover: nobody reads them, or is told of them, before a majority has them. */
  replicates?: boolean
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

export class FakeMongo {
  readonly options: FakeOptions
  readonly active = new Set<Transaction>()
  readonly tables = new Map<string, Map<string, Version[]>>(Object.keys(uniqueIndexes).map(name => [name, new Map()]))
  version = 0
  /** What a majority has: all that is read outside of transactions. */
  durable = 0
  /** Another one after each failover. */
  term = 0
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

  /** Another server leads from now on: what a majority did not have is gone, and so are all open transactions. */
  failover (): void {
    this.restore(this.durable)
  }

  /** The database as it was after that commit. */
  restore (version: number): void {
    this.term++
    this.active.clear()
    this.behind.length = 0
    this.version = this.durable = version
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
      this.durable = version
      this.options.onApply?.(writes)
    }
  }

  /** What one node sees of the database. */
  connect (node: string): { client: MongoClient, collections: LogCollections } {
    const collection = (table: string) => new FakeCollection(this, node, table)
    return {
      client: { startSession: () => new FakeSession(this, node) } as unknown as MongoClient,
      collections: {
        conversations: collection('conversations'), log: collection('log'), members: collection('members')
      } as unknown as LogCollections
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

export class Transaction {
  readonly node: string
  readonly snapshot: number
  readonly term: number
  readonly writes = new Map<string, { table: string, id: string, to: Doc | null }>()
  committing = false
  /** The version that it made. */
  appliedAt: number | undefined
  private readonly mongo: FakeMongo

  constructor (mongo: FakeMongo, node: string) {
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

class FakeSession {
  transaction: Transaction | undefined
  private readonly mongo: FakeMongo
  private readonly node: string
  /** Replies to commits that still get lost. */
  private mute = 0
  private outcome: 'open' | 'applied' | 'aborted' | 'forgotten' | 'late' = 'open'
  private state: 'none' | 'started' | 'running' = 'none'

  constructor (mongo: FakeMongo, node: string) {
    this.mongo = mongo
    this.node = node
  }

  startTransaction (): void {
    if (this.state !== 'none') throw new Error('Transaction already in progress')
    this.state = 'started'
    this.outcome = 'open'
  }

  /** The transaction of the next statement; with the first, the server aborts an earlier one of the session that is still open. */
  statement (): Transaction {
    if (this.state === 'none') throw new Error('No transaction')
    if (this.state === 'started') {
      if (this.transaction !== undefined) this.mongo.active.delete(this.transaction)
      this.transaction = new Transaction(this.mongo, this.node)
      this.state = 'running'
    }
    if (this.transaction === undefined || !this.mongo.active.has(this.transaction)) throw noSuchTransaction()
    return this.transaction
  }

  async abortTransaction (): Promise<void> {
    const { schedule, faults } = this.mongo.options
    const { state, transaction } = this
    this.state = 'none'
    if (state !== 'running' || transaction === undefined) return
    await schedule.turn(this.node)
    if (schedule.chance(faults / 4)) throw network()
    this.mongo.active.delete(transaction)
  }

  async commitTransaction (): Promise<void> {
    const { schedule } = this.mongo.options
    this.state = 'none'
    const transaction = this.transaction
    if (transaction === undefined) return
    transaction.committing = true
    await schedule.turn(this.node)
    if (this.outcome === 'open') this.decide(transaction)
    await schedule.turn(this.node)
    if (await this.isLost(transaction)) {
      this.outcome = 'aborted'
      throw unknownResult()
    }
    if (this.mute > 0) {
      this.mute--
      throw schedule.chance(0.1) ? new TypeError('A defect of the driver') : unknownResult()
    }
    if (this.outcome === 'aborted' || this.outcome === 'forgotten') throw noSuchTransaction()
    if (this.outcome === 'late') throw unknownResult()
  }

  async endSession (): Promise<void> {
    if (this.transaction !== undefined) this.mongo.active.delete(this.transaction)
  }

  /** Waits until a majority has what the commit wrote, or a failover has undone it. */
  private async isLost ({ appliedAt, term }: Transaction): Promise<boolean> {
    if (appliedAt === undefined) return false
    const { mongo } = this
    while (term === mongo.term && mongo.durable < appliedAt) await mongo.options.schedule.turn(this.node)
    return this.outcome !== 'aborted' && term !== mongo.term
  }

  private async later (turns: number): Promise<void> {
    for (let i = 0; i <= turns; i++) await this.mongo.options.schedule.turn('server')
  }

  /** How the commit ends, and how many of its replies are lost: seven outlast the retries of a commit. */
  private decide (transaction: Transaction): void {
    const { schedule, faults } = this.mongo.options
    this.mute = 0
    if (!this.mongo.active.has(transaction)) {
      this.outcome = 'aborted'
      return
    }
    if (!schedule.chance(faults)) {
      this.outcome = 'applied'
      return this.mongo.apply(transaction)
    }
    this.mute = schedule.chance(0.5) ? 7 : schedule.below(3)
    const luck = schedule.random()
    if (luck < 0.3) {
      this.outcome = 'aborted'
      this.mongo.active.delete(transaction)
    } else if (luck < 0.55) {
      this.outcome = 'late'
      this.mute = 7
      void this.later(schedule.below(40)).then(() => { this.mongo.apply(transaction) })
    } else {
      this.outcome = luck < 0.65 && this.mute > 0 ? 'forgotten' : 'applied'
      this.mongo.apply(transaction)
    }
  }
}

interface WriteOptions {
  session?: FakeSession
}

type Operation =
  | { insertOne: { document: Doc } }
  | { updateOne: { filter: Doc, update: { $set?: object, $unset?: object, $inc?: Record<string, number> } } }
  | { replaceOne: { filter: Doc, replacement: object } }
  | { deleteOne: { filter: Doc } }

class FakeCollection {
  private readonly mongo: FakeMongo
  private readonly node: string
  private readonly table: string

  constructor (mongo: FakeMongo, node: string, table: string) {
    this.mongo = mongo
    this.node = node
    this.table = table
  }

  insertMany (docs: Doc[], options: WriteOptions = {}): Promise<{ matchedCount: number }> {
    return this.bulkWrite(docs.map(document => ({ insertOne: { document } })), options)
  }

  async bulkWrite (operations: Operation[], { session }: WriteOptions = {}): Promise<{ matchedCount: number }> {
    const { schedule, faults } = this.mongo.options
    if (operations.length === 0) throw new Error('Invalid BulkOperation, Batch cannot be empty')
    await schedule.turn(this.node)
    if (schedule.chance(faults / 8)) throw schedule.chance(0.2) ? new TypeError('A defect of the driver') : network()
    const transaction = session?.statement() ?? new Transaction(this.mongo, this.node)
    let matchedCount = 0
    try {
      for (const operation of operations) matchedCount += this.write(transaction, operation)
    } catch (error) {
      this.mongo.active.delete(transaction)
      throw error
    }
    if (session === undefined) this.mongo.apply(transaction)
    await schedule.turn(this.node)
    return { matchedCount }
  }

  /** Outside of transactions: waits while one of them holds a document, for some time. */
  async updateMany (filter: Doc, { $set }: { $set: object }): Promise<void> {
    const { schedule, faults } = this.mongo.options
    await schedule.turn(this.node)
    if (schedule.chance(faults / 8)) throw network()
    for (const { _id } of this.mongo.all(this.table).filter(doc => matches(doc, filter))) {
      for (let waits = 0; this.mongo.isHeld(`${this.table} ${keyOf(_id)}`); waits++) {
        if (waits === 100) throw serverError(50, 'operation exceeded time limit', [])
        await schedule.turn(this.node)
      }
      const transaction = new Transaction(this.mongo, this.node)
      transaction.update(this.table, { ...filter, _id }, doc => ({ ...doc, ...$set }))
      this.mongo.apply(transaction)
    }
    await schedule.turn(this.node)
  }

  /** Outside of transactions, document by document. */
  async deleteMany (filter: Doc): Promise<{ deletedCount: number }> {
    const { schedule, faults } = this.mongo.options
    await schedule.turn(this.node)
    let deletedCount = 0
    for (const { _id } of this.mongo.all(this.table, this.mongo.durable).filter(doc => matches(doc, filter))) {
      while (this.mongo.isHeld(`${this.table} ${keyOf(_id)}`)) await schedule.turn(this.node)
      if (schedule.chance(faults / 8)) throw network()
      const transaction = new Transaction(this.mongo, this.node)
      deletedCount += transaction.update(this.table, { ...filter, _id }, () => null)
      this.mongo.apply(transaction)
      if (schedule.chance(0.3)) await schedule.turn(this.node)
    }
    await schedule.turn(this.node)
    return { deletedCount }
  }

  async createIndexes (): Promise<void> {}

  async countDocuments (filter: Doc): Promise<number> {
    return (await this.find(filter).toArray()).length
  }

  find (filter: Doc): FakeCursor {
    return new FakeCursor(this.mongo, this.node, this.table, filter)
  }

  readonly readConcern = undefined
  get collectionName (): string { return this.table }

  /** For pages, which ask for a reply as it is. */
  readonly db = {
    command: async ({ filter, sort, limit }: { filter: Doc, sort: Record<string, 1 | -1>, limit: number }): Promise<{ cursor: Uint8Array }> => {
      const firstBatch = await this.find(filter).sort(sort).limit(limit).toArray()
      return { cursor: BSON.serialize({ firstBatch, id: 0n, ns: `tidelog.${this.table}` }, { ignoreUndefined: true }) }
    }
  }

  private write (transaction: Transaction, operation: Operation): number {
    if ('insertOne' in operation) {
      transaction.insert(this.table, { ...operation.insertOne.document })
      return 0
    }
    if ('updateOne' in operation) {
      const { filter, update } = operation.updateOne
      return transaction.update(this.table, filter, doc => {
        const added = Object.entries(update.$inc ?? {}).map(([field, by]) => [field, doc[field] as number + by])
        const changed: Doc = { ...doc, ...update.$set, ...Object.fromEntries(added) }
        for (const field of Object.keys(update.$unset ?? {})) Reflect.deleteProperty(changed, field)
        return changed
      })
    }
    if ('replaceOne' in operation) {
      const { filter, replacement } = operation.replaceOne
      return transaction.update(this.table, filter, doc => ({ _id: doc._id, ...replacement }))
    }
    transaction.update(this.table, operation.deleteOne.filter, () => null)
    return 0
  }
}

class FakeCursor {
  private readonly mongo: FakeMongo
  private readonly node: string
  private readonly table: string
  private readonly filter: Doc
  private field: string | undefined
  private direction = 1
  private max = Infinity

  constructor (mongo: FakeMongo, node: string, table: string, filter: Doc) {
    this.mongo = mongo
    this.node = node
    this.table = table
    this.filter = filter
  }

  /** By numbers: order by anything else does not matter here. */
  sort (order: Record<string, 1 | -1>): this {
    const [field] = Object.keys(order)
    this.field = field === 'conversationId' ? undefined : field
    this.direction = order[field!]!
    return this
  }

  limit (max: number): this {
    this.max = max
    return this
  }

  hint (): this { return this }
  batchSize (): this { return this }

  async toArray (): Promise<Doc[]> {
    const { schedule, faults } = this.mongo.options
    await schedule.turn(this.node)
    if (schedule.chance(faults / 16)) throw network()
    const found = this.field === undefined ? this.look() : await this.scan(this.field)
    await schedule.turn(this.node)
    return found
  }

  async * [Symbol.asyncIterator] (): AsyncGenerator<Doc> {
    yield * await this.toArray()
  }

  private look (): Doc[] {
    const { lag, schedule } = this.mongo.options
    const late = this.table === 'log' && schedule.chance(lag ?? 0) ? this.mongo.durable - 1 - schedule.below(3) : this.mongo.durable
    return this.mongo.all(this.table, late).filter(doc => matches(doc, this.filter)).map(doc => ({ ...doc }))
  }

  /** A scan of an index holds no snapshot: between two rows it may pause, and then sees what was committed meanwhile. */
  private async scan (field: string): Promise<Doc[]> {
    const { schedule } = this.mongo.options
    const found: Doc[] = []
    const placeOf = (doc: Doc) => Number(doc[field]) * this.direction
    let position = -Infinity
    while (found.length < this.max) {
      const ahead = this.mongo.all(this.table, this.mongo.durable).filter(doc => matches(doc, this.filter) && placeOf(doc) > position)
      if (ahead.length === 0) break
      const next = ahead.reduce((first, doc) => placeOf(doc) < placeOf(first) ? doc : first)
      position = placeOf(next)
      found.push({ ...next })
      if (schedule.chance(0.3)) await schedule.turn(this.node)
    }
    return found
  }
}

function keyOf (value: unknown): string {
  if (value instanceof ObjectId) return value.toHexString()
  if (value instanceof Date) return `t${value.getTime()}`
  return `${typeof value === 'number' ? 'n' : ''}${String(value)}`
}

function matches (doc: Doc, filter: Record<string, unknown>): boolean {
  return Object.entries(filter).every(([field, wanted]) => {
    if (field === '$or') return (wanted as Array<Record<string, unknown>>).some(branch => matches(doc, branch))
    const value = doc[field]
    if (typeof wanted !== 'object' || wanted === null || wanted instanceof ObjectId || wanted instanceof Date) return keyOf(value) === keyOf(wanted)
    return Object.entries(wanted).every(([operator, operand]) => {
      switch (operator) {
        case '$in': return (operand as unknown[]).some(one => keyOf(one) === keyOf(value))
        case '$nin': return !(operand as unknown[]).some(one => keyOf(one) === keyOf(value))
        case '$gt': return value !== undefined && Number(value) > Number(operand)
        case '$lt': return value !== undefined && Number(value) < Number(operand)
        case '$lte': return value !== undefined && Number(value) <= Number(operand)
        case '$gte': return value !== undefined && Number(value) >= Number(operand)
        case '$exists': return (value !== undefined) === operand
        default: throw new Error(`The fake knows no ${operator}`)
      }
    })
  })
}

function serverError (code: number, message: string, errorLabels: string[]): MongoServerError {
  return new MongoServerError({ message, errmsg: message, code, errorLabels })
}

const duplicateKey = (table: string, index: string): MongoServerError =>
  serverError(11000, `E11000 duplicate key error collection: tidelog.${table} index: ${index} dup key: {}`, [])
const writeConflict = (): MongoServerError => serverError(112, 'Write conflict', ['TransientTransactionError'])
const network = (): MongoServerError => serverError(6, 'Connection lost', ['TransientTransactionError'])
const unknownResult = (): MongoServerError => serverError(6, 'Connection lost', ['UnknownTransactionCommitResult'])
const noSuchTransaction = (): MongoServerError => serverError(251, 'No such transaction', ['TransientTransactionError'])
