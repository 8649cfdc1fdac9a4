import { randomBytes, randomInt } from 'node:crypto'
import { Binary, type Db } from 'mongodb'

/** What all nodes on one database share. */
export interface DatabaseIdentity {
  /** Random, and replaced after a restore, so that older cursors are recognised. */
  epoch: number
  cursorKey: Buffer
}

interface DatabaseRow {
  _id: 'database'
  epoch: number
  cursorKey: Binary
  createdAt: Date
}

/** Reads the identity of the database. The first node that reads it creates it. */
export async function readDatabaseIdentity (db: Db): Promise<DatabaseIdentity> {
  const row = await db.collection<DatabaseRow>('tidelog').findOneAndUpdate(
    { _id: 'database' },
    { $setOnInsert: { epoch: randomInt(2 ** 32), cursorKey: new Binary(randomBytes(32)), createdAt: new Date() } },
    { upsert: true, returnDocument: 'after' }
  )
  if (row === null) throw new Error('The database did not return its identity')
  return { epoch: row.epoch, cursorKey: Buffer.from(row.cursorKey.buffer) }
}
