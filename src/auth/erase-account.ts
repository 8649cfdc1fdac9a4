import { ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import { notePictureEnd } from '../files/picture.ts'
import { deletedUserName } from '../users/public-user.ts'
import type { Identity } from '../users/identity.ts'
import type { UserRow } from '../users/user-row.ts'
import type { AuthContext } from './context.ts'
import { askerIn, provePassword } from './prove-password.ts'
import { endAllSessions } from './sessions.ts'

/**
 * Erasing an account. The account is gone at once: its names and e-mail address are free, its sessions have ended. What
 * it left in the conversations is deleted afterwards (plugins/erasure.ts), as long as the row says `isErasing`.
 */

/** Milliseconds after which no request that began before the erasure can still commit, on any node. */
const settledAfterMs = 60_000

/**
 * Erases the caller's own account.
 * @throws TidelogError INVALID_CREDENTIALS, RATE_LIMITED, OVERLOADED; NOT_ALLOWED for an administrator, or for an
 * account that a host application keeps
 */
export async function eraseOwnAccount (context: AuthContext, identity: Identity, password: string): Promise<void> {
  const { id, userId, isAdmin } = identity
  if (isAdmin) throw new TidelogError('NOT_ALLOWED', 'Remove the name from ADMIN_USERS first')
  const user = await context.users.findOne({ _id: id })
  if (user === null) throw new TidelogError('UNKNOWN_USER')
  if (!isKeptHere(user)) throw new TidelogError('NOT_ALLOWED', 'Another application keeps this account')
  await provePassword(context, { user, account: userId, password, ...askerIn(identity) })
  await erase(context, user)
}

/**
 * Erases another account, for an administrator. If a host application keeps it, the row keeps its names: it is
 * deactivated, and its messages are deleted.
 * @throws TidelogError NOT_ALLOWED, USER_NOT_FOUND
 */
export async function eraseAccount (context: AuthContext, identity: Identity, userId: string): Promise<void> {
  if (!identity.isAdmin) throw new TidelogError('NOT_ALLOWED')
  const user = await context.users.findOne({ _id: ObjectId.createFromHexString(userId) })
  if (user === null) throw new TidelogError('USER_NOT_FOUND')
  if (context.admins.isAdmin(user)) throw new TidelogError('NOT_ALLOWED', 'Remove the name from ADMIN_USERS first')
  await erase(context, user)
}

async function erase (context: AuthContext, user: UserRow): Promise<void> {
  const { _id } = user
  const at = new Date(context.now())
  const ended = { isActive: false, isErasing: true as const, erasedAt: at, updatedAt: at }
  if (isKeptHere(user)) {
    await notePictureEnd(context.files, user.profilePicture)
    await context.users.updateOne({ _id }, {
      $set: { ...ended, fullName: deletedUserName, username: '', profilePicture: null, searchKeys: [] },
      $unset: { email: '', emailKey: '', usernameKey: '', password: '', knownAddresses: '' }
    })
  } else await context.users.updateOne({ _id }, { $set: ended })
  context.directory.announceChange(_id.toHexString(), true)
  await endAllSessions(context, _id)
}

/** A host application's rows lack the keys of accounts that register here. */
function isKeptHere ({ usernameKey }: UserRow): boolean {
  return usernameKey !== undefined
}

/**
 * Hands each account that is being erased to `eraseContent`. An account is done when a run began late enough that no
 * request from before can follow.
 */
export async function continueErasures (
  { users, sessions, now }: Pick<AuthContext, 'users' | 'sessions' | 'now'>,
  eraseContent: (userId: ObjectId) => Promise<void>, signal: AbortSignal
): Promise<void> {
  const began = now()
  const rows = await users.find({ isErasing: true }, { projection: { erasedAt: 1 } }).hint('isErasing').toArray()
  for (const { _id, erasedAt } of rows) {
    // A login that was under way may have begun a session since.
    await sessions.deleteMany({ userId: _id })
    await eraseContent(_id)
    if (signal.aborted) return
    if (erasedAt === undefined || erasedAt.getTime() + settledAfterMs > began) continue
    await users.updateOne({ _id }, { $unset: { isErasing: '' } })
  }
}
