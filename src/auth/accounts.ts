import { isDeepStrictEqual } from 'node:util'
import { MongoServerError, ObjectId, type Collection } from 'mongodb'
import { TidelogError } from '../errors.ts'
import { foldedText } from '../lib/folded-text.ts'
import { noDeadline } from '../log/no-deadline.ts'
import type { UserRow } from '../users/user-row.ts'

/**
 * Creates the indexes of the accounts. A host application's rows lack the key fields, so only its own indexes constrain
 * them. An index that the host already has on the same field is used.
 */
export async function ensureUserIndexes (users: Collection<UserRow>): Promise<void> {
  await users.createIndex(
    { usernameKey: 1 },
    { name: 'usernameKey', unique: true, partialFilterExpression: { usernameKey: { $exists: true } } },
    noDeadline
  )
  await users.createIndex(
    { emailKey: 1 },
    { name: 'emailKey', unique: true, partialFilterExpression: { emailKey: { $exists: true } } },
    noDeadline
  )
  await users.createIndex({ searchKeys: 1 }, { name: 'searchKeys' }, noDeadline)
  const isRevoked = { revokedAt: { $exists: true } }
  await users.createIndex({ revokedAt: 1 }, { name: 'revokedAt', partialFilterExpression: isRevoked }, noDeadline)
  const isErasing = { isErasing: true }
  await users.createIndex({ isErasing: 1 }, { name: 'isErasing', partialFilterExpression: isErasing }, noDeadline)
  for (const field of ['username', 'email']) {
    await users.createIndex({ [field]: 1 }, {}, noDeadline).catch((error: unknown) => {
      if (!(error instanceof MongoServerError && (error.code === 85 || error.code === 86))) throw error
    })
  }
}

/** Words of a full name that a search can match. */
const wordsMax = 10
/** Keys that were made in another way are made again at the start. */
const keysVersion = 2
const usersAtOnce = 500

/** What a search finds an account by: its user name, also after an @, and each word of its full name. */
export function searchFieldsOf (
  username: string, fullName: string
): Required<Pick<UserRow, 'searchKeys' | 'searchVersion'>> {
  const name = foldedText(username)
  return {
    searchKeys: [...new Set([name, `@${name}`, ...foldedText(fullName).split(' ').slice(0, wordsMax)])],
    searchVersion: keysVersion
  }
}

/**
 * Gives search keys to users who have none, or older ones. A host application changes the names of its users without
 * their keys: those are compared.
 */
export async function fillSearchKeys (users: Collection<UserRow>, signal?: AbortSignal): Promise<void> {
  const mayBeOld = { $or: [{ searchVersion: { $ne: keysVersion } }, { usernameKey: { $exists: false } }] }
  for (let after = new ObjectId('0'.repeat(24)); signal?.aborted !== true;) {
    const some = await users.find({ _id: { $gt: after }, ...mayBeOld })
      .project<Pick<UserRow, '_id' | 'username' | 'fullName' | 'searchKeys' | 'searchVersion'>>(
        { username: 1, fullName: 1, searchKeys: 1, searchVersion: 1 }
      )
      .sort({ _id: 1 }).limit(usersAtOnce).batchSize(usersAtOnce + 1).toArray()
    const last = some.at(-1)
    if (last === undefined) return
    const changes = some.flatMap(({ _id, username, fullName, searchKeys, searchVersion }) => {
      const fields = searchFieldsOf(username ?? '', fullName ?? '')
      if (isDeepStrictEqual({ searchKeys, searchVersion }, fields)) return []
      // Whoever changes a name meanwhile writes its keys, or the next run does.
      return [{ updateOne: { filter: { _id, username, fullName }, update: { $set: fields } } }]
    })
    if (changes.length > 0) await users.bulkWrite(changes, { ordered: false })
    after = last._id
  }
}

/** Turns a duplicate key error into its refusal; returns other errors unchanged. */
export function toTakenError (error: unknown): unknown {
  if (!(error instanceof MongoServerError) || error.code !== 11_000) return error
  const fields = Object.keys(error['keyPattern'] as object | undefined ?? {}).join()
  if (fields.startsWith('username')) return new TidelogError('USERNAME_TAKEN')
  if (fields.startsWith('email')) return new TidelogError('EMAIL_TAKEN')
  return error
}
