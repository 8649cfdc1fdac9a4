import type { MongoClient } from 'mongodb'
import type { LogCollections } from '../../src/log/model/collections.ts'
import { FakeCollection } from './fake-collection.ts'
import { type BulkWrite, bulkWrite } from './fake-bulk-write.ts'
import { FakeSession } from './fake-session.ts'
import { FakeStore, Seen } from './fake-store.ts'

/**
 * The few driver calls that the log makes, over one store in memory: snapshot transactions that conflict on the first
 * write (as WiredTiger's do), unique indexes, lost replies, and commits that are applied late. The order of every
 * call and reply is the schedule's.
 */
export class FakeMongo extends FakeStore {
  /** What one node sees of the database. */
  connect (node: string): { client: MongoClient, collections: LogCollections, seen: Seen } {
    const seen = new Seen()
    // Its first call is a write, and the reply to a write tells of everything before it.
    seen.advance(this.durable)
    const collection = (table: string) => new FakeCollection(this, { name: node, seen }, table)
    const command = (body: BulkWrite, { session }: { session: FakeSession }) => {
      return bulkWrite(this, node, body, session, collection)
    }
    return {
      client: {
        startSession: () => new FakeSession(this, { name: node, seen }),
        db: () => ({ command })
      } as unknown as MongoClient,
      collections: {
        heads: collection('conversations'), rows: collection('log'), members: collection('members')
      } as unknown as LogCollections,
      seen
    }
  }
}

export type { FakeOptions } from './fake-store.ts'
export type { Doc } from './fake-values.ts'
