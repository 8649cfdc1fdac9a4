import type { Db } from 'mongodb'
import { positionCollection } from '../log/positions.ts'
import { ensureSearchIndex, searchIndex, searchName } from './collections.ts'

/**
 * Empties the index of words and forgets its positions, so that the servers build it again. Danger: no server may run
 * meanwhile, because it keeps positions in memory.
 */
export async function reindex (db: Db): Promise<void> {
  // Positions first: if this is interrupted, everything is indexed once more.
  await positionCollection(db).deleteMany({ _id: { $gte: `${searchName}|`, $lt: `${searchName}}` } })
  const { directories, chunks } = searchIndex(db)
  await directories.drop()
  await chunks.drop()
  await ensureSearchIndex(db)
}
