import type { ObjectId } from 'mongodb'
import type { UserRow } from './user-row.ts'

/** Who is asking. */
export interface Identity {
  /** The user's id as 24 hexadecimal digits, lower case. */
  userId: string
  id: ObjectId
  /** The user's row, at most ten seconds old. */
  user: UserRow
  isAdmin: boolean
  /** What a logout ends: the `sid` of the token, or a name made from a host application's token that has none. */
  sessionId: string
}
