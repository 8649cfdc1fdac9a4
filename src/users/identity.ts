import type { ObjectId } from 'mongodb'
import type { UserRow } from './user-row.ts'

/** The authenticated user of a request. */
export interface Identity {
  /** The user's id as 24 hexadecimal digits, lower case. */
  userId: string
  id: ObjectId
  /** The user's row, at most ten seconds old. */
  user: UserRow
  isAdmin: boolean
  /**
   * The session that a logout ends: the token's `sid`, or a name derived from a host application's token without one.
   */
  sessionId: string
}
