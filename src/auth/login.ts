import { TidelogError } from '../errors.ts'
import type { LoginInput } from '../schemas/auth.ts'
import type { AuthContext } from './context.ts'
import { isKnownAddress, provePassword, rememberAddress } from './prove-password.ts'
import { type TokenPair, startSession } from './sessions.ts'
import type { UserRow } from '../users/user-row.ts'
import type { Caller } from './context.ts'

/**
 * Starts a session for a user who proves the password.
 * @throws TidelogError VALIDATION, INVALID_CREDENTIALS, RATE_LIMITED, OVERLOADED, or NOT_ALLOWED for a deactivated
 * account (only if the password is right).
 */
export async function login (
  context: AuthContext, { email, username, password }: LoginInput, { address, client }: Caller
): Promise<TokenPair> {
  const given = email ?? username
  if (given === undefined) throw new TidelogError('VALIDATION', 'email or username is required')
  const found = await (email === undefined ? findByUsername(context, given) : findByEmail(context, given))
  // User name and e-mail address count as the same account.
  const account = found?._id.toHexString() ?? `nobody:${given.toLowerCase()}`
  const isKnown = found !== undefined && isKnownAddress(found, address)
  const user = await provePassword(context, { user: found, account, password, address, isKnown })
  if (user.isActive === false) throw new TidelogError('NOT_ALLOWED', 'This account is deactivated')
  await rememberAddress(context, user, address)
  return await startSession(context, user, client)
}

async function findByEmail ({ users }: AuthContext, email: string): Promise<UserRow | undefined> {
  const key = email.trim().toLowerCase()
  return await users.findOne({ emailKey: key }) ?? await users.findOne({ email: key }) ?? undefined
}

async function findByUsername ({ users }: AuthContext, username: string): Promise<UserRow | undefined> {
  // Try the exact name first: a host application may have names that differ only in case.
  return await users.findOne({ username }) ?? await users.findOne({ usernameKey: username.toLowerCase() }) ?? undefined
}
