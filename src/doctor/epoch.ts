import { randomInt } from 'node:crypto'
import type { Db } from 'mongodb'

/**
 * Gives the database a new epoch: older cursors are answered with `reset`. After a restore the log may assign revs
 * again that clients already hold with other contents, so their cursors are invalid.
 * @returns false if no server has used the database yet
 */
export async function bumpEpoch (db: Db): Promise<boolean> {
  const identity = db.collection<{ _id: string, epoch: number }>('tidelog')
  const row = await identity.findOne({ _id: 'database' })
  if (row === null) return false
  let epoch = row.epoch
  while (epoch === row.epoch) epoch = randomInt(2 ** 32)
  await identity.updateOne({ _id: 'database' }, { $set: { epoch } })
  return true
}
