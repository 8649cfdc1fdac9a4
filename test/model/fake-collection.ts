import { BSON } from 'mongodb'
import type { FakeSession } from './fake-session.ts'
import { type FakeStore, type Seen, Transaction } from './fake-store.ts'
import { type Doc, keyOf, matches, network, serverError } from './fake-values.ts'

interface WriteOptions {
  session?: FakeSession
}

export type Operation =
  | { insertOne: { document: Doc } }
  | { updateOne: { filter: Doc, update: { $set?: object, $unset?: object, $inc?: Record<string, number> } } }
  | { replaceOne: { filter: Doc, replacement: object } }
  | { deleteOne: { filter: Doc } }

/** The calls to a collection: each is a turn of the schedule, and so is its reply. */
export class FakeCollection {
  private readonly mongo: FakeStore
  private readonly node: string
  private readonly seen: Seen
  private readonly table: string

  constructor (mongo: FakeStore, { name, seen }: { name: string, seen: Seen }, table: string) {
    this.mongo = mongo
    this.node = name
    this.seen = seen
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

  find (filter: Doc, { session }: WriteOptions = {}): FakeCursor {
    return new FakeCursor(this.mongo, { name: this.node, seen: this.seen }, this.table, filter, session)
  }

  async findOne (filter: Doc): Promise<Doc | null> {
    return (await this.find(filter).toArray())[0] ?? null
  }

  readonly readConcern = undefined
  get collectionName (): string { return this.table }
  get namespace (): string { return this.table }

  /** For pages, which ask for a reply as it is. */
  readonly db = {
    command: async ({ filter, sort, limit }: { filter: Doc, sort: Record<string, 1 | -1>, limit: number }): Promise<{ cursor: Uint8Array }> => {
      const firstBatch = await this.find(filter).sort(sort).limit(limit).toArray()
      return { cursor: BSON.serialize({ firstBatch, id: 0n, ns: `tidelog.${this.table}` }, { ignoreUndefined: true }) }
    }
  }

  /** Returns the number of documents matched. */
  write (transaction: Transaction, operation: Operation): number {
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
  private readonly mongo: FakeStore
  private readonly node: string
  private readonly seen: Seen
  private readonly table: string
  private readonly filter: Doc
  private field: string | undefined
  private direction = 1
  private max = Infinity
  private readonly session: FakeSession | undefined

  constructor (
    mongo: FakeStore, { name, seen }: { name: string, seen: Seen }, table: string, filter: Doc,
    session: FakeSession | undefined
  ) {
    this.mongo = mongo
    this.node = name
    this.seen = seen
    this.table = table
    this.filter = filter
    this.session = session
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
  project (): this { return this }
  batchSize (): this { return this }

  async toArray (): Promise<Doc[]> {
    const { schedule, faults } = this.mongo.options
    await schedule.turn(this.node)
    if (schedule.chance(faults / 16)) throw network()
    if (this.session === undefined) await this.mayRead()
    const { term } = this.mongo
    const found = this.field === undefined ? this.look() : await this.scan(this.field)
    if (this.session === undefined) {
      // Who leads no more ends what is read from them.
      if (term !== this.mongo.term) throw network()
      this.seen.advance(this.mongo.readable)
    }
    await schedule.turn(this.node)
    return found
  }

  /** Waits until the leader may show what the node has seen. */
  private async mayRead (): Promise<void> {
    const { mongo, seen } = this
    const { isCausal, waitsForLeader, elections } = mongo.options
    if (isCausal === false) return
    const meetLeader = () => { if (elections !== 'unseen' && waitsForLeader !== false) seen.advance(mongo.electedAt) }
    for (meetLeader(); mongo.readable < seen.version; meetLeader()) await mongo.options.schedule.turn(this.node)
  }

  async * [Symbol.asyncIterator] (): AsyncGenerator<Doc> {
    yield * await this.toArray()
  }

  private look (): Doc[] {
    const transaction = this.session?.statement()
    if (transaction !== undefined) {
      const ids = (this.filter as unknown as { _id: { $in: unknown[] } })._id.$in
      return ids.flatMap(id => transaction.view(this.table, keyOf(id)) ?? [])
    }
    const { lag, schedule } = this.mongo.options
    const late = this.table === 'log' && schedule.chance(lag ?? 0) ? this.mongo.readable - 1 - schedule.below(3) : this.mongo.readable
    return this.mongo.all(this.table, late).filter(doc => matches(doc, this.filter)).map(doc => ({ ...doc }))
  }

  /** A scan of an index holds no snapshot: between two rows it may pause, and then sees what was committed meanwhile. */
  private async scan (field: string): Promise<Doc[]> {
    const { schedule } = this.mongo.options
    const found: Doc[] = []
    const placeOf = (doc: Doc) => Number(doc[field]) * this.direction
    let position = -Infinity
    while (found.length < this.max) {
      const ahead = this.mongo.all(this.table, this.mongo.readable).filter(doc => matches(doc, this.filter) && placeOf(doc) > position)
      if (ahead.length === 0) break
      const next = ahead.reduce((first, doc) => placeOf(doc) < placeOf(first) ? doc : first)
      position = placeOf(next)
      found.push({ ...next })
      if (schedule.chance(0.3)) await schedule.turn(this.node)
    }
    return found
  }
}
