import { ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import type { RegisterInput } from '../schemas/auth.ts'
import { searchKeysOf, toTakenError } from './accounts.ts'
import type { AuthContext } from './context.ts'
import { hashPassword } from './password.ts'
import { type TokenPair, startSession } from './sessions.ts'
import type { UserRow } from '../users/user-row.ts'

/**
 * Makes an account and its first session.
 * @throws TidelogError USERNAME_TAKEN or EMAIL_TAKEN.
 */
export async function register (context: AuthContext, input: RegisterInput): Promise<TokenPair> {
  const { username } = input
  const email = input.email.toLowerCase()
  await refuseTaken(context, username, email)
  const now = new Date(context.now())
  const fullName = input.fullName.trim()
  const user: UserRow = {
    _id: new ObjectId(),
    fullName,
    username,
    email,
    profilePicture: input.profilePicture ?? null,
    password: await hashPassword(input.password),
    isActive: true,
    usernameKey: username.toLowerCase(),
    emailKey: email,
    searchKeys: searchKeysOf(username, fullName),
    createdAt: now,
    updatedAt: now
  }
  try {
    await context.users.insertOne(user)
  } catch (error) {
    throw toTakenError(error)
  }
  return await startSession(context, user)
}

/** The rows of a host application have no keys to collide with: look for them; the unique indexes settle the rest. */
async function refuseTaken ({ users }: AuthContext, username: string, email: string): Promise<void> {
  const projection = { _id: 1 }
  if (await users.findOne({ $or: [{ usernameKey: username.toLowerCase() }, { username }] }, { projection }) !== null) throw new TidelogError('USERNAME_TAKEN')
  if (await users.findOne({ $or: [{ emailKey: email }, { email }] }, { projection }) !== null) throw new TidelogError('EMAIL_TAKEN')
}
