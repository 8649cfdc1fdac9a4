import { ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import type { RegisterInput } from '../schemas/auth.ts'
import { searchFieldsOf, toTakenError } from './accounts.ts'
import type { AuthContext } from './context.ts'
import { requireAdminCode, spendAdminCodes } from './admin-codes.ts'
import { hashPassword } from './password.ts'
import { firstAddress } from './prove-password.ts'
import { type TokenPair, startSession } from './sessions.ts'
import type { UserRow } from '../users/user-row.ts'
import type { Caller } from './context.ts'

/**
 * Makes an account and its first session.
 * @throws TidelogError USERNAME_TAKEN, EMAIL_TAKEN, OVERLOADED, or NOT_ALLOWED for an administrator's name without its
 * code
 */
export async function register (
  context: AuthContext, input: RegisterInput, { address, client }: Caller
): Promise<TokenPair> {
  const { username } = input
  const email = input.email.toLowerCase()
  await refuseTaken(context, username, email)
  await requireAdminCode(context, username, input.adminCode)
  const now = new Date(context.now())
  const fullName = input.fullName.trim()
  const _id = new ObjectId()
  const user: UserRow = {
    _id,
    fullName,
    username,
    email,
    profilePicture: input.profilePicture ?? null,
    password: await context.hashing.run({ address, isKnown: false }, () => hashPassword(input.password)),
    knownAddresses: firstAddress({ _id }, address),
    isActive: true,
    usernameKey: username.toLowerCase(),
    emailKey: email,
    ...searchFieldsOf(username, fullName),
    createdAt: now,
    updatedAt: now
  }
  try {
    await context.users.insertOne(user)
  } catch (error) {
    throw toTakenError(error)
  }
  await spendAdminCodes(context, username)
  return await startSession(context, user, client)
}

/**
 * A host application's rows have no keys that could collide, so this searches them. The unique indexes cover the rest.
 */
async function refuseTaken ({ users }: AuthContext, username: string, email: string): Promise<void> {
  const projection = { _id: 1 }
  if (
    await users.findOne({ $or: [{ usernameKey: username.toLowerCase() }, { username }] }, { projection }) !== null
  ) {
    throw new TidelogError('USERNAME_TAKEN')
  }
  if (await users.findOne({ $or: [{ emailKey: email }, { email }] }, { projection }) !== null) {
    throw new TidelogError('EMAIL_TAKEN')
  }
}
