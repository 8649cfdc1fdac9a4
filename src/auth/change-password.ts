import { TidelogError } from '../errors.ts'
import type { PasswordInput } from '../schemas/auth.ts'
import type { AuthContext } from './context.ts'
import { hashPassword } from './password.ts'
import { askerIn, provePassword } from './prove-password.ts'
import { endAllSessions } from './sessions.ts'
import type { Identity } from '../users/identity.ts'

/**
 * Changes the caller's password and ends their other sessions.
 * @throws TidelogError INVALID_CREDENTIALS (the current password is wrong), RATE_LIMITED, OVERLOADED
 */
export async function changePassword (
  context: AuthContext, identity: Identity, { password, newPassword }: PasswordInput
): Promise<void> {
  const { id, userId, sessionId } = identity
  const user = await context.users.findOne({ _id: id })
  if (user === null) throw new TidelogError('UNKNOWN_USER')
  const asker = askerIn(identity)
  const { password: stored } = await provePassword(context, { user, account: userId, password, ...asker })
  const next = await context.hashing.run(asker, () => hashPassword(newPassword))
  // Matches only if no other request has changed the password meanwhile.
  const { matchedCount } = await context.users.updateOne(
    { _id: id, password: stored! }, { $set: { password: next, updatedAt: new Date(context.now()) } }
  )
  if (matchedCount === 0) throw new TidelogError('INVALID_CREDENTIALS')
  await endAllSessions(context, id, sessionId)
}
