import { createHash } from 'node:crypto'
import { TidelogError } from '../errors.ts'
import type { AuthContext, FailureLimiter } from './context.ts'
import type { Asker } from './hash-queue.ts'
import { checkPassword, hashPassword } from './password.ts'
import type { Identity } from '../users/identity.ts'
import type { UserRow } from '../users/user-row.ts'

/**
 * Checks that a caller knows an account's password. Failures are counted in three ways: by account and address, by
 * address over all accounts, and by account over all addresses unknown to it. The last count could let strangers'
 * guesses lock the owner out. Therefore addresses at which the account was used before do not count in it, and
 * refreshing a session needs no password.
 */

/** Addresses that are remembered for one account. */
const knownAddressesMax = 10

/** The account and the origin of an attempt. */
export interface Attempt extends Asker {
  user: UserRow | undefined
  /** The account's key in the counts, even if the account does not exist. */
  account: string
  password: string
}

/** Who asks in a session. Each has its own count of failures, so that strangers' guesses do not stop the owner. */
export function askerIn ({ sessionId }: Identity): Asker {
  return { address: `session ${sessionId}`, isKnown: true }
}

/** @throws TidelogError INVALID_CREDENTIALS, RATE_LIMITED, OVERLOADED */
export async function provePassword (context: AuthContext, attempt: Attempt): Promise<UserRow> {
  const { user, password } = attempt
  const counts = countsOf(context, attempt)
  // A caller who will be refused must not take a place in the queue.
  for (const { limiter, key } of counts) limiter.check(key)
  return await context.hashing.run(attempt, async () => {
    // Count first and give back on success, so that a burst cannot outrun the count.
    for (const { limiter, key } of counts) limiter.consume(key)
    const verdict = await checkPassword(password, user?.password)
    if (user === undefined || verdict === 'wrong') throw new TidelogError('INVALID_CREDENTIALS')
    for (const { limiter, key } of counts) limiter.giveBack(key)
    return verdict === 'right-but-old' ? await upgrade(context, user, password) : user
  })
}

function countsOf (
  { failures }: AuthContext, { account, address, isKnown }: Attempt
): Array<{ limiter: FailureLimiter, key: string }> {
  return [
    { limiter: failures.login, key: `${account}|${address}` },
    { limiter: failures.loginAddress, key: address },
    ...(isKnown ? [] : [{ limiter: failures.loginAccount, key: account }])
  ]
}

/** Replaces the compared hash, unless another request replaced it meanwhile. */
async function upgrade (context: AuthContext, user: UserRow, password: string): Promise<UserRow> {
  const next = await hashPassword(password)
  await context.users.updateOne({ _id: user._id, password: user.password! }, { $set: { password: next } })
  context.directory.announceChange(user._id.toHexString())
  return { ...user, password: next }
}

/** Was the account used at this address before? */
export function isKnownAddress (user: UserRow, address: string): boolean {
  return user.knownAddresses?.includes(markOf(user, address)) === true
}

/** The known addresses of a new account. */
export function firstAddress (user: Pick<UserRow, '_id'>, address: string): string[] {
  return [markOf(user, address)]
}

/** Remembers that the account was used at this address. */
export async function rememberAddress ({ users }: AuthContext, user: UserRow, address: string): Promise<void> {
  if (isKnownAddress(user, address)) return
  await users.updateOne(
    { _id: user._id }, { $push: { knownAddresses: { $each: firstAddress(user, address), $slice: -knownAddressesMax } } }
  )
}

/** Stores an address as a mark: to find the address you would have to try them all. */
function markOf ({ _id }: Pick<UserRow, '_id'>, address: string): string {
  return createHash('sha256').update(`${_id.toHexString()}|${address}`).digest('base64url').slice(0, 16)
}
