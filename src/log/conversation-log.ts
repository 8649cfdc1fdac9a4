import type { Db, MongoClient, ObjectId, Timestamp } from 'mongodb'
import { BatchedReader } from '../lib/batched-reader.ts'
import { type LogCollections, ensureLogIndexes, logCollections } from './model/collections.ts'
import { type CommitOptions, type CommitSteps, type CommittedBatch, Committer } from './commit/committer.ts'
import type { CommitCounts } from './commit/commit-counts.ts'
import { bulkSender } from './commit/statements.ts'
import { commitPlan } from './commit/transaction.ts'
import { CursorCodec } from './read/cursor.ts'
import { readDatabaseIdentity } from './database-identity.ts'
import type { Guard, UnitOutcome, CommitUnit } from './commit/plan.ts'
import { type Head, type Member, memberKey } from './model/types.ts'

export interface LogOptions extends CommitOptions {
  /**
   * Commits carry the database's time, which other nodes then name in their reads. Default: unless this is the sole
   * writer. In a sharded cluster a shard refuses a time of which it has not heard yet.
   */
  tellsTime?: boolean
  /** The server takes statements on several collections in one command. */
  hasBulkWrite?: boolean
}

/**
 * The conversation log: every change of a conversation is committed here, and sync reads from here.
 * A process opens it once.
 */
export class ConversationLog {
  readonly collections: LogCollections
  readonly cursors: CursorCodec
  /** Called around each commit, if there is one: tracing sets it. */
  aroundCommit: ((unit: CommitUnit, run: () => Promise<UnitOutcome>) => Promise<UnitOutcome>) | undefined
  private readonly client: MongoClient
  private readonly committer: Committer
  private readonly listeners = new Set<(committed: CommittedBatch) => void>()
  private readonly unknownOutcomeListeners = new Set<(conversationIds: string[]) => void>()
  private readonly headReader: BatchedReader<string, Head>
  private readonly memberReader: BatchedReader<string, Member>

  private constructor (
    client: MongoClient, collections: LogCollections, cursors: CursorCodec, options: LogOptions,
    steps?: Partial<CommitSteps>
  ) {
    const { tellsTime = !options.isSoleWriter, hasBulkWrite = false, ...commitOptions } = options
    const send = hasBulkWrite ? bulkSender(client) : undefined
    this.client = client
    this.collections = collections
    this.cursors = cursors
    this.committer = new Committer(client, collections, {
      ...commitOptions,
      onCommitted: batch => {
        const committed = { ...batch, time: tellsTime ? this.timeSeen() : undefined }
        options.onCommitted?.(committed)
        this.notify(committed)
      },
      onUnknownOutcome: conversationIds => {
        options.onUnknownOutcome?.(conversationIds)
        for (const listener of this.unknownOutcomeListeners) listener(conversationIds)
      }
    }, { write: (plan, log, session) => commitPlan(plan, log, session, send), ...steps })
    this.headReader = new BatchedReader(ids => this.committer.heads.read(ids))
    this.memberReader = byId(ids => collections.members.find({ _id: { $in: ids } }).batchSize(ids.length + 1).toArray())
  }

  /** Creates the indexes that are missing, and the database's identity if it has none. */
  static async open (
    client: MongoClient, db: Db, options: LogOptions, steps?: Partial<CommitSteps>
  ): Promise<ConversationLog> {
    const collections = logCollections(db)
    await ensureLogIndexes(collections)
    const { cursorKey, epoch } = await readDatabaseIdentity(db)
    return new ConversationLog(client, collections, new CursorCodec(cursorKey, epoch, options.headsMax), options, steps)
  }

  /**
   * Commits a unit. The promise settles when the unit is on disk on a majority of the database's members.
   * @throws TidelogError OVERLOADED or UNAVAILABLE; both are worth a retry.
   */
  commit (unit: CommitUnit): Promise<UnitOutcome> {
    if (this.aroundCommit === undefined) return this.committer.commit(unit)
    return this.aroundCommit(unit, () => this.committer.commit(unit))
  }

  /**
   * Calls `listener` with every commit of this process, in commit order for each conversation, and with those that
   * other nodes report. Calls `unknownOutcomeListener` with the conversations of a commit whose outcome is unknown.
   * @returns a function that unsubscribes
   */
  onCommitted (
    listener: (committed: CommittedBatch) => void,
    unknownOutcomeListener: (conversationIds: string[]) => void = () => {}
  ): () => void {
    this.listeners.add(listener)
    this.unknownOutcomeListeners.add(unknownOutcomeListener)
    return () => {
      this.listeners.delete(listener)
      this.unknownOutcomeListeners.delete(unknownOutcomeListener)
    }
  }

  /** Stands for this process in the heads that it reserves. */
  get nodeId (): string {
    return this.committer.nodeId
  }

  /** No other process writes to the database. */
  get isSoleWriter (): boolean {
    return this.committer.heads.isSoleWriter
  }

  /** Tells the listeners what another node has committed. What is read from now on includes it. */
  applyRemote (committed: CommittedBatch): void {
    if (committed.time !== undefined) this.timeSeen(committed.time)
    this.committer.applyRemoteHeads(committed.heads)
    this.notify({ ...committed, isRemote: true })
  }

  /** The current head; undefined if there is no such conversation. */
  async head (conversationId: string): Promise<Head | undefined> {
    const head = this.peekHead(conversationId)
    return head === undefined ? await this.headReader.get(conversationId) : head ?? undefined
  }

  /** The current heads by id; conversations that do not exist are left out. */
  heads (conversationIds: Iterable<string>): Promise<Map<string, Head>> {
    return this.committer.heads.read(conversationIds)
  }

  /** As `head`, without waiting: null if there is none, undefined if only the database knows. */
  peekHead (conversationId: string): Head | null | undefined {
    return this.committer.heads.peek(conversationId)
  }

  /**
   * Waits for the conversation's running commit in this process, if there is one. After it, `head` agrees with the
   * database.
   */
  pendingCommit (conversationId: string): Promise<void> {
    return this.committer.pendingCommit(conversationId)
  }

  /** Resolves when every commit that this process has accepted until now has ended. */
  quiet (): Promise<void> {
    return this.committer.quiet()
  }

  /** This log with a guard on every commit: what `guard` throws refuses the commit. */
  guardedBy (guard: Guard): ConversationLog {
    const commit = (unit: CommitUnit) => this.commit({ ...unit, guard })
    return Object.create(this, { commit: { value: commit } }) as ConversationLog
  }

  /**
   * Changes with every commit that changes a head; undefined if heads may change without that: by other processes, or
   * by a commit with an unknown outcome.
   */
  get commitCount (): number | undefined {
    return this.committer.heads.isCertain ? this.committer.commitCount : undefined
  }

  /** What was committed since the start. */
  get commitCounts (): CommitCounts {
    return this.committer.counts
  }

  /** Units that wait for a transaction, and transactions that run. */
  get commitLoad (): { waiting: number, running: number } {
    return this.committer.load
  }

  member (conversationId: string, userId: ObjectId): Promise<Member | undefined> {
    return this.memberReader.get(memberKey(conversationId, userId))
  }

  /** How far this process has seen the database: all sessions share that (read/causal-reads.ts). */
  private timeSeen (atLeast?: Timestamp): Timestamp | undefined {
    const session = this.client.startSession()
    if (atLeast !== undefined) session.advanceOperationTime(atLeast)
    void session.endSession().catch(() => {})
    return session.operationTime
  }

  private notify (committed: CommittedBatch): void {
    for (const listener of this.listeners) listener(committed)
  }

  /** Refuses further commits and waits for the accepted ones. */
  close (): Promise<void> {
    return this.committer.close()
  }
}

function byId<T extends { _id: string }> (read: (ids: string[]) => Promise<T[]>): BatchedReader<string, T> {
  return new BatchedReader(async ids => new Map((await read(ids)).map(row => [row._id, row])))
}
