import { type Filter, ObjectId } from 'mongodb'
import type { UserSearch } from '../schemas/user.ts'
import { searchForm } from './accounts.ts'
import type { AuthContext } from './context.ts'
import type { UserRow } from '../users/user-row.ts'

/** A page of the active users whose user name, or a word of whose full name, begins with the text; ordered by id. */
export async function searchUsers ({ users }: AuthContext, { search, limit, cursor }: UserSearch): Promise<{ rows: UserRow[], hasMore: boolean }> {
  const filter: Filter<UserRow> = {
    isActive: { $ne: false },
    ...(cursor === undefined ? {} : { _id: { $gt: ObjectId.createFromHexString(cursor) } }),
    ...matching(search ?? '')
  }
  const rows = await users.find(filter, { projection: { fullName: 1, username: 1, profilePicture: 1 } }).sort({ _id: 1 }).limit(limit + 1).toArray()
  return { rows: rows.slice(0, limit), hasMore: rows.length > limit }
}

/**
 * Anchored patterns, so that an index is used. A host application's rows have no keys and match by user name, exactly
 * as typed.
 */
function matching (search: string): Filter<UserRow> {
  const key = searchForm(search)
  if (key === '') return {}
  return { $or: [{ searchKeys: startingWith(key) }, { username: startingWith(search.trim()) }] }
}

function startingWith (text: string): { $regex: string } {
  return { $regex: `^${text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}` }
}
