import { createHash } from 'node:crypto'
import { TidelogError } from '../errors.ts'
import type { AuthContext, FailureLimiter } from './context.ts'
import type { Asker } from './hash-queue.ts'
import { checkPassword, hashPassword } from './password.ts'
import type { UserRow } from '../users/user-row.ts'

/**
 * Proves that somebody knows the password of an account. Guessing is slowed in three ways: for the account and address,
 * for the address over all accounts, and for the account over all addresses that it does not know. The last one would
 * lock an owner out by somebody else's guesses: so addresses at which the account was used before do not count in it, and
 * refreshing a session asks for no password at all.
 */

/** Addresses at which an account was used that are remembered. */
const knownAddressesMax = 10

/** Whose password, and from where. */
export interface Attempt extends Asker {
  user: UserRow | undefined
  /** Names the account in the counts, whether it exists or not. */
  account: string
  password: string
}

/** @throws TidelogError INVALID_CREDENTIALS, RATE_LIMITED, OVERLOADED */
export async function provePassword (context: AuthContext, attempt: Attempt): Promise<UserRow> {
  const { user, password } = attempt
  const counts = countsOf(context, attempt)
  // Those who are refused anyway take nobody's place in the queue.
  for (const { limiter, key } of counts) limiter.check(key)
  return await context.hashing.run(attempt, async () => {
    // Counted first and given back: so no burst outruns the count.
    for (const { limiter, key } of counts) limiter.consume(key)
    const verdict = await checkPassword(password, user?.password)
    if (user === undefined || verdict === 'wrong') throw new TidelogError('INVALID_CREDENTIALS')
    for (const { limiter, key } of counts) limiter.giveBack(key)
    return verdict === 'right-but-old' ? await upgrade(context, user, password) : user
  })
}

function countsOf ({ failures }: AuthContext, { account, address, isKnown }: Attempt): Array<{ limiter: FailureLimiter, key: string }> {
  return [
    { limiter: failures.login, key: `${account}|${address}` },
    { limiter: failures.loginAddress, key: address },
    ...(isKnown ? [] : [{ limiter: failures.loginAccount, key: account }])
  ]
}

/** Replaces the hash that was compared, unless somebody replaced it meanwhile. */
async function upgrade (context: AuthContext, user: UserRow, password: string): Promise<UserRow> {
  const next = await hashPassword(password)
  await context.users.updateOne({ _id: user._id, password: user.password! }, { $set: { password: next } })
  context.directory.announceChange(user._id.toHexString())
  return { ...user, password: next }
}

/** Has the account been used at this address before? */
export function isKnownAddress (user: UserRow, address: string): boolean {
  return user.knownAddresses?.includes(markOf(user, address)) === true
}

/** The addresses that an account knows when it begins. */
export function firstAddress (user: Pick<UserRow, '_id'>, address: string): string[] {
  return [markOf(user, address)]
}

/** Remembers that the account was used at this address. */
export async function rememberAddress ({ users }: AuthContext, user: UserRow, address: string): Promise<void> {
  if (isKnownAddress(user, address)) return
  await users.updateOne({ _id: user._id }, { $push: { knownAddresses: { $each: firstAddress(user, address), $slice: -knownAddressesMax } } })
}

/** An address is kept as a mark that tells nobody which one it is without trying them all. */
function markOf ({ _id }: Pick<UserRow, '_id'>, address: string): string {
  return createHash('sha256').update(`${_id.toHexString()}|${address}`).digest('base64url').slice(0, 16)
}
