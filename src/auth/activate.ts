import { ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import type { AuthContext } from './context.ts'
import { endAllSessions } from './sessions.ts'
import type { UserRow } from '../users/user-row.ts'
import type { Identity } from '../users/identity.ts'

/**
 * Deactivates or reactivates an account. Deactivating ends its tokens, sessions and sockets; reactivating does not
 * bring them back.
 * @throws TidelogError NOT_ALLOWED unless the caller is an administrator and the account is another's, USER_NOT_FOUND.
 */
export async function setActive (
  context: AuthContext, identity: Identity, userId: string, isActive: boolean | undefined
): Promise<UserRow> {
  if (!identity.isAdmin) throw new TidelogError('NOT_ALLOWED')
  const _id = ObjectId.createFromHexString(userId)
  if (isActive === false && _id.equals(identity.id)) {
    throw new TidelogError('NOT_ALLOWED', 'An administrator cannot deactivate their own account')
  }
  const row = await context.users.findOne({ _id })
  if (row === null || row.erasedAt !== undefined) throw new TidelogError('USER_NOT_FOUND')
  const wasActive = row.isActive !== false
  if (isActive === undefined || isActive === wasActive) return row
  await context.users.updateOne({ _id }, { $set: { isActive, updatedAt: new Date(context.now()) } })
  await endAllSessions(context, _id)
  return { ...row, isActive }
}
