import type { Db } from 'mongodb'
import { positionCollection } from '../log/positions.ts'
import { ensureSearchIndex, searchCollection, searchFollower } from './collections.ts'

/**
 * Drops the index of words and its positions, so that the servers build it again. Danger: no server may run meanwhile,
 * because it keeps positions in memory.
 */
export async function reindex (db: Db): Promise<void> {
  // Positions first: if this is interrupted, everything is indexed once more.
  await positionCollection(db).deleteMany({ _id: { $gte: `${searchFollower}|`, $lt: `${searchFollower}}` } })
  await searchCollection(db).drop()
  await ensureSearchIndex(searchCollection(db))
}
