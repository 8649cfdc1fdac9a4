import type { Collection, Db, ObjectId } from 'mongodb'
import type { UserRow } from '../../users/user-row.ts'

/** A listing of the host application that a direct message can be about. */
export interface ListingRow {
  _id: ObjectId
  title: string
}

/** A user's last activity, stored after they go offline. */
interface PresenceRow {
  _id: ObjectId
  lastActiveAt: Date
}

export interface ChatCollections {
  users: Collection<UserRow>
  listings: Collection<ListingRow>
  presence: Collection<PresenceRow>
}

export function chatCollections (db: Db): ChatCollections {
  return { users: db.collection('users'), listings: db.collection('listings'), presence: db.collection('presence') }
}
