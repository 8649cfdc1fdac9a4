import { MongoServerError, type Collection } from 'mongodb'
import { TidelogError } from '../errors.ts'
import { noDeadline } from '../log/no-deadline.ts'
import type { UserRow } from '../users/user-row.ts'

/**
 * Creates the indexes of the accounts. A host application's rows lack the key fields, so only its own indexes constrain
 * them. An index that the host already has on the same field is used.
 */
export async function ensureUserIndexes (users: Collection<UserRow>): Promise<void> {
  await users.createIndex({ usernameKey: 1 }, { name: 'usernameKey', unique: true, partialFilterExpression: { usernameKey: { $exists: true } } }, noDeadline)
  await users.createIndex({ emailKey: 1 }, { name: 'emailKey', unique: true, partialFilterExpression: { emailKey: { $exists: true } } }, noDeadline)
  await users.createIndex({ searchKeys: 1 }, { name: 'searchKeys' }, noDeadline)
  const isRevoked = { revokedAt: { $exists: true } }
  await users.createIndex({ revokedAt: 1 }, { name: 'revokedAt', partialFilterExpression: isRevoked }, noDeadline)
  for (const field of ['username', 'email']) {
    await users.createIndex({ [field]: 1 }, {}, noDeadline).catch((error: unknown) => {
      if (!(error instanceof MongoServerError && (error.code === 85 || error.code === 86))) throw error
    })
  }
}

/** Words of a full name that a search can match. */
const wordsMax = 10

/**
 * Search keys of an account: its user name, and its full name from each word on, so that you can type several words.
 */
export function searchKeysOf (username: string, fullName: string): string[] {
  const words = searchForm(fullName).split(' ').slice(0, wordsMax)
  return [...new Set([searchForm(username), ...words.map((_, at) => words.slice(at).join(' '))])]
}

/** The form of a text that a search compares. */
export function searchForm (text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim()
}

/** Turns a duplicate key error into its refusal; returns other errors unchanged. */
export function toTakenError (error: unknown): unknown {
  if (!(error instanceof MongoServerError) || error.code !== 11_000) return error
  const fields = Object.keys(error['keyPattern'] as object | undefined ?? {}).join()
  if (fields.startsWith('username')) return new TidelogError('USERNAME_TAKEN')
  if (fields.startsWith('email')) return new TidelogError('EMAIL_TAKEN')
  return error
}
