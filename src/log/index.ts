import type { Db, MongoClient } from 'mongodb'
import { BatchedReader } from './batched.ts'
import { type LogCollections, ensureLogIndexes, logCollections } from './collections.ts'
import { type CommitOptions, type CommitSteps, type Committed, Committer } from './commit.ts'
import { CursorCodec } from './cursor.ts'
import { databaseIdentity } from './database.ts'
import type { Guard, Outcome, Unit } from './plan.ts'
import { type Head, type Member, memberKey } from './types.ts'
import type { ObjectId } from 'mongodb'

/**
 * The conversation log: the one place where a conversation changes, and the reads that sync is made of.
 * Opened once a process.
 */
export class ConversationLog {
  readonly collections: LogCollections
  readonly cursors: CursorCodec
  private readonly committer: Committer
  private readonly listeners = new Set<(committed: Committed) => void>()
  private readonly doubters = new Set<(conversationIds: string[]) => void>()
  private readonly headReader: BatchedReader<string, Head>
  private readonly memberReader: BatchedReader<string, Member>

  private constructor (client: MongoClient, collections: LogCollections, cursors: CursorCodec, options: CommitOptions, steps?: Partial<CommitSteps>) {
    this.collections = collections
    this.cursors = cursors
    this.committer = new Committer(client, collections, {
      ...options,
      onCommitted: committed => {
        options.onCommitted?.(committed)
        this.tell(committed)
      },
      onDoubt: conversationIds => {
        options.onDoubt?.(conversationIds)
        for (const doubt of this.doubters) doubt(conversationIds)
      }
    }, steps)
    this.headReader = new BatchedReader(ids => this.committer.currentHeads.read(ids))
    this.memberReader = byId(ids => collections.members.find({ _id: { $in: ids } }).batchSize(ids.length + 1).toArray())
  }

  /** Creates the indexes that are missing, and the database's identity. */
  static async open (client: MongoClient, db: Db, options: CommitOptions, steps?: Partial<CommitSteps>): Promise<ConversationLog> {
    const collections = logCollections(db)
    await ensureLogIndexes(collections)
    const { cursorKey, epoch } = await databaseIdentity(db)
    return new ConversationLog(client, collections, new CursorCodec(cursorKey, epoch), options, steps)
  }

  /**
   * Commits a unit; settles when it is on disk on a majority.
   * @throws TidelogError OVERLOADED or UNAVAILABLE, both worth a retry.
   */
  commit (unit: Unit): Promise<Outcome> {
    return this.committer.commit(unit)
  }

  /**
   * Calls `listener` with what this process commits, in commit order for each conversation, and with what it hears of
   * others, and `doubt` with conversations that a commit may have moved whose end is not known; returns the way to stop.
   */
  subscribe (listener: (committed: Committed) => void, doubt: (conversationIds: string[]) => void = () => {}): () => void {
    this.listeners.add(listener)
    this.doubters.add(doubt)
    return () => {
      this.listeners.delete(listener)
      this.doubters.delete(doubt)
    }
  }

  /** Nobody else writes to the database. */
  get isAlone (): boolean {
    return this.committer.currentHeads.isAlone
  }

  /** Passes on what another process has committed. */
  hear (committed: Committed): void {
    this.committer.hear(committed.heads)
    this.tell({ ...committed, elsewhere: true })
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
  settled (conversationId: string): Promise<void> {
    return this.committer.settled(conversationId)
  }

  /** Resolves when every commit that was asked of this process until now has ended. */
  quiet (): Promise<void> {
    return this.committer.quiet()
  }

  /** This log, for somebody whose commits are refused by what `guard` throws when their turn has come. */
  guardedBy (guard: Guard): ConversationLog {
    return Object.create(this, { commit: { value: (unit: Unit) => this.commit({ ...unit, guard }) } }) as ConversationLog
  }

  /** Stays the same as long as no head moves; undefined where other processes move them too. */
  get moves (): number | undefined {
    return this.committer.currentHeads.isAlone ? this.committer.moves : undefined
  }

  member (conversationId: string, userId: ObjectId): Promise<Member | undefined> {
    return this.memberReader.get(memberKey(conversationId, userId))
  }

  private tell (committed: Committed): void {
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
