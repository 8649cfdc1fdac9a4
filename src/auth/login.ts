import { TidelogError } from '../errors.ts'
import type { LoginInput } from '../schemas/auth.ts'
import type { AuthContext } from './context.ts'
import { checkPassword, hashPassword } from './password.ts'
import { type TokenPair, startSession } from './sessions.ts'
import type { UserRow } from '../users/user-row.ts'

/** Counts failures of an account and address; `plugins/rate-limit.ts` has it. */
export interface FailureLimiter {
  check: (key: string) => void
  consume: (key: string) => void
}

/** Logins under way, by account and address: one after the other, so that no burst outruns the count of failures. */
const turns = new Map<string, Promise<unknown>>()

/**
 * Begins a session for whoever knows the password.
 * @throws TidelogError VALIDATION, INVALID_CREDENTIALS, RATE_LIMITED, or NOT_ALLOWED for a deactivated account (said only to
 * those who know its password).
 */
export async function login (context: AuthContext, input: LoginInput, address: string, failures: FailureLimiter): Promise<TokenPair> {
  const { email, username, password } = input
  const account = email ?? username
  if (account === undefined) throw new TidelogError('VALIDATION', 'email or username is required')
  const found = await (email === undefined ? findByUsername(context, account) : findByEmail(context, account))
  // Its user name and its e-mail address are one account.
  const key = `${found?._id.toHexString() ?? `nobody:${account.toLowerCase()}`}|${address}`
  const user = await serialize(key, async () => {
    failures.check(key)
    const verdict = await checkPassword(password, found?.password)
    if (found === undefined || verdict === 'wrong') {
      failures.consume(key)
      throw new TidelogError('INVALID_CREDENTIALS')
    }
    if (verdict === 'right-but-old') await upgrade(context, found, password)
    return found
  })
  if (user.isActive === false) throw new TidelogError('NOT_ALLOWED', 'This account is deactivated')
  return await startSession(context, user)
}

async function findByEmail ({ users }: AuthContext, email: string): Promise<UserRow | undefined> {
  const key = email.trim().toLowerCase()
  return await users.findOne({ emailKey: key }) ?? await users.findOne({ email: key }) ?? undefined
}

async function findByUsername ({ users }: AuthContext, username: string): Promise<UserRow | undefined> {
  // The exact name first: a host application may tell names apart that differ in case only.
  return await users.findOne({ username }) ?? await users.findOne({ usernameKey: username.toLowerCase() }) ?? undefined
}

/** Replaces the hash that was compared, unless somebody replaced it meanwhile. */
async function upgrade (context: AuthContext, user: UserRow, password: string): Promise<void> {
  await context.users.updateOne({ _id: user._id, password: user.password! }, { $set: { password: await hashPassword(password) } })
  context.directory.announceChange(user._id.toHexString())
}

async function serialize<T> (key: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(key)
  const turn = (before ?? Promise.resolve()).then(work, work)
  turns.set(key, turn)
  try {
    return await turn
  } finally {
    if (turns.get(key) === turn) turns.delete(key)
  }
}
