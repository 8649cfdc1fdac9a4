import type { Collection } from 'mongodb'
import type { UserRow } from '../users/user-row.ts'
import { type OldMessage, idOf } from './convert.ts'
import type { StageOptions } from './stage.ts'

const usersAtOnce = 1_000
/** What a user of the old backend brings along; the rest stays there. */
const fields = [
  'fullName', 'username', 'email', 'profilePicture', 'password', 'isActive', 'createdAt', 'updatedAt'
] as const

/** Copies the old backend's users, with their ids and passwords. If both have one database, there is nothing to do. */
export async function adoptUsers (
  source: Collection<OldMessage>, users: Collection<UserRow>, { report, onProgress }: StageOptions
): Promise<void> {
  let some: OldMessage[] = []
  const copy = async () => {
    const operations = some.flatMap(old => {
      const _id = idOf(old._id)
      if (_id === undefined) {
        report.add('USER_ROW', String(old._id))
        return []
      }
      const given = Object.fromEntries(fields.filter(field => field in old).map(field => [field, old[field]]))
      return [{ updateOne: { filter: { _id }, update: { $set: given as Partial<UserRow> }, upsert: true } }]
    })
    if (operations.length > 0) await users.bulkWrite(operations, { ordered: false })
    report.users += operations.length
    some = []
    onProgress()
  }
  for await (const old of source.find({}).batchSize(usersAtOnce)) {
    some.push(old as OldMessage)
    if (some.length === usersAtOnce) await copy()
  }
  if (some.length > 0) await copy()
}
