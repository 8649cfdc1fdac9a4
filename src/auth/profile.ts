import { isDeepStrictEqual } from 'node:util'
import { TidelogError } from '../errors.ts'
import { notePictureEnd, publishPicture } from '../files/picture.ts'
import type { ProfileInput } from '../schemas/user.ts'
import { toPublicUser } from './payload.ts'
import { searchFieldsOf, toTakenError } from './accounts.ts'
import type { AuthContext } from './context.ts'
import type { UserRow } from '../users/user-row.ts'
import type { Identity } from '../users/identity.ts'

const attemptsMax = 5

/**
 * Changes the caller's own account.
 * @throws TidelogError USERNAME_TAKEN; NOT_ALLOWED for a rename to or from an administrator's name.
 */
export async function changeProfile (
  context: AuthContext, { id, userId }: Identity, input: ProfileInput
): Promise<UserRow> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const row = await context.users.findOne({ _id: id })
    if (row === null) throw new TidelogError('UNKNOWN_USER')
    const fullName = input.fullName?.trim() ?? row.fullName ?? row.username // a host application may keep no full name
    const username = input.username ?? row.username
    if (username !== row.username) await refuseName(context, row, username)
    if (input.profilePicture !== undefined) await notePictureEnd(context.files, row.profilePicture)
    // The search keys derive from both names: write them only if both are unchanged since the read.
    const changed = await context.users.findOneAndUpdate({ _id: id, fullName: row.fullName, username: row.username }, {
      $set: {
        fullName,
        username,
        ...searchFieldsOf(username, fullName),
        updatedAt: new Date(context.now()),
        ...(username === row.username ? {} : { usernameKey: username.toLowerCase() }),
        ...(input.profilePicture === undefined ? {} : { profilePicture: input.profilePicture })
      }
    }, { returnDocument: 'after' }).catch((error: unknown) => { throw toTakenError(error) })
    if (changed === null) continue
    context.directory.announceChange(userId, !isDeepStrictEqual(toPublicUser(row), toPublicUser(changed)))
    return changed
  }
  throw new TidelogError('UNAVAILABLE', 'Your account was changed at the same time: try again', { retryAfterMs: 1_000 })
}

/**
 * Makes a file of the caller their picture, or leaves them without one.
 * @throws TidelogError VALIDATION, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
 */
export async function changeAvatar (
  context: AuthContext, { id, userId }: Identity, fileId: string | null
): Promise<UserRow> {
  const profilePicture = fileId === null ? null : await publishPicture(context.files, id, fileId.toLowerCase())
  const before = await context.users.findOne({ _id: id })
  await notePictureEnd(context.files, before?.profilePicture)
  const changed = await context.users.findOneAndUpdate(
    { _id: id }, { $set: { profilePicture, updatedAt: new Date(context.now()) } }, { returnDocument: 'after' }
  )
  if (before === null || changed === null) throw new TidelogError('UNKNOWN_USER')
  context.directory.announceChange(userId, !isDeepStrictEqual(toPublicUser(before), toPublicUser(changed)))
  return changed
}

/** A name makes its user an administrator, so renaming can neither take nor free such a name. */
async function refuseName ({ users, admins }: AuthContext, row: UserRow, username: string): Promise<void> {
  if (admins.reserves(username) || admins.isAdmin(row)) {
    throw new TidelogError('NOT_ALLOWED', 'The user name of an administrator cannot be changed or taken')
  }
  const other = await users.findOne(
    { _id: { $ne: row._id }, $or: [{ usernameKey: username.toLowerCase() }, { username }] }, { projection: { _id: 1 } }
  )
  if (other !== null) throw new TidelogError('USERNAME_TAKEN')
}
