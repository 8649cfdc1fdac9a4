import type { UserRow } from './user-row.ts'

export interface PublicUser {
  _id: string
  fullName: string
  username: string
  profilePicture: string | null
}

/** The name of a user who was erased, or whose row is gone. */
export const deletedUserName = 'Deleted user'

/** The fields of a user that others may see. A user who is gone keeps the id, so that their messages stay readable. */
export function publicUser (id: string, row: UserRow | undefined): PublicUser {
  if (row === undefined) return { _id: id, fullName: deletedUserName, username: '', profilePicture: null }
  return { _id: id, fullName: row.fullName, username: row.username, profilePicture: row.profilePicture ?? null }
}
