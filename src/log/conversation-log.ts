import type { Db, MongoClient } from 'mongodb'
import { BatchedReader } from '../lib/batched-reader.ts'
import { type LogCollections, ensureLogIndexes, logCollections } from './model/collections.ts'
import { type CommitOptions, type CommitSteps, type CommittedBatch, Committer } from './commit/committer.ts'
import { CursorCodec } from './read/cursor.ts'
import { readDatabaseIdentity } from './database-identity.ts'
import type { Guard, UnitOutcome, CommitUnit } from './commit/plan.ts'
import { type Head, type Member, memberKey } from './model/types.ts'
import type { ObjectId } from 'mongodb'

/**
 * The conversation log: the one place where a conversation changes, and the reads that sync is made of.
 * Opened once a process.
 */
export class ConversationLog {
  readonly collections: LogCollections
  readonly cursors: CursorCodec
  private readonly committer: Committer
  private readonly listeners = new Set<(committed: CommittedBatch) => void>()
  private readonly unknownOutcomeListeners = new Set<(conversationIds: string[]) => void>()
  private readonly headReader: BatchedReader<string, Head>
  private readonly memberReader: BatchedReader<string, Member>

  private constructor (client: MongoClient, collections: LogCollections, cursors: CursorCodec, options: CommitOptions, steps?: Partial<CommitSteps>) {
    this.collections = collections
    this.cursors = cursors
    this.committer = new Committer(client, collections, {
      ...options,
      onCommitted: committed => {
        options.onCommitted?.(committed)
        this.notify(committed)
      },
      onUnknownOutcome: conversationIds => {
        options.onUnknownOutcome?.(conversationIds)
        for (const doubt of this.unknownOutcomeListeners) doubt(conversationIds)
      }
    }, steps)
    this.headReader = new BatchedReader(ids => this.committer.currentHeads.read(ids))
    this.memberReader = byId(ids => collections.members.find({ _id: { $in: ids } }).batchSize(ids.length + 1).toArray())
  }

  /** Creates the indexes that are missing, and the database's identity. */
  static async open (client: MongoClient, db: Db, options: CommitOptions, steps?: Partial<CommitSteps>): Promise<ConversationLog> {
    const collections = logCollections(db)
    await ensureLogIndexes(collections)
    const { cursorKey, epoch } = await readDatabaseIdentity(db)
    return new ConversationLog(client, collections, new CursorCodec(cursorKey, epoch), options, steps)
  }

  /**
   * Commits a unit; settles when it is on disk on a majority.
   * @throws TidelogError OVERLOADED or UNAVAILABLE, both worth a retry.
   */
  commit (unit: CommitUnit): Promise<UnitOutcome> {
    return this.committer.commit(unit)
  }

  /**
   * Calls `listener` with what this process commits, in commit order for each conversation, and with what it hears of
   * others, and `doubt` with conversations that a commit may have moved whose end is not known; returns the way to stop.
   */
  onCommitted (listener: (committed: CommittedBatch) => void, doubt: (conversationIds: string[]) => void = () => {}): () => void {
    this.listeners.add(listener)
    this.unknownOutcomeListeners.add(doubt)
    return () => {
      this.listeners.delete(listener)
      this.unknownOutcomeListeners.delete(doubt)
    }
  }

  /** Nobody else writes to the database. */
  get isSoleWriter (): boolean {
    return this.committer.currentHeads.isSoleWriter
  }

  /** Passes on what another process has committed. */
  applyRemote (committed: CommittedBatch): void {
    this.committer.applyRemoteHeads(committed.heads)
    this.notify({ ...committed, isRemote: true })
  }

  /** The head as it is now; undefined where there is no such conversation. */
  async head (conversationId: string): Promise<Head | undefined> {
    const head = this.committer.currentHeads.peek(conversationId)
    return head === undefined ? await this.headReader.get(conversationId) : head ?? undefined
  }

  /** Many heads as they are now, by id; those that do not exist are left out. */
  heads (conversationIds: Iterable<string>): Promise<Map<string, Head>> {
    return this.committer.currentHeads.read(conversationIds)
  }

  /** As `head`, without waiting: null for none, undefined where the database must be asked. */
  peekHead (conversationId: string): Head | null | undefined {
    return this.committer.currentHeads.peek(conversationId)
  }

  /** Waits for the commit of a conversation that is under way in this process, if there is one: heads are as the database is then. */
  pendingCommit (conversationId: string): Promise<void> {
    return this.committer.pendingCommit(conversationId)
  }

  /** Resolves when every commit that was asked of this process until now has ended. */
  quiet (): Promise<void> {
    return this.committer.quiet()
  }

  /** This log, for somebody whose commits are refused by what `guard` throws when their turn has come. */
  guardedBy (guard: Guard): ConversationLog {
    return Object.create(this, { commit: { value: (unit: CommitUnit) => this.commit({ ...unit, guard }) } }) as ConversationLog
  }

  /** Stays the same as long as no head moves; undefined where other processes move them too. */
  get commitCount (): number | undefined {
    return this.committer.currentHeads.isSoleWriter ? this.committer.commitCount : undefined
  }

  member (conversationId: string, userId: ObjectId): Promise<Member | undefined> {
    return this.memberReader.get(memberKey(conversationId, userId))
  }

  private notify (committed: CommittedBatch): void {
    for (const listener of this.listeners) listener(committed)
  }

  /** Refuses further commits and waits for those accepted. */
  close (): Promise<void> {
    return this.committer.close()
  }
}

function byId<T extends { _id: string }> (read: (ids: string[]) => Promise<T[]>): BatchedReader<string, T> {
  return new BatchedReader(async ids => new Map((await read(ids)).map(row => [row._id, row])))
}
