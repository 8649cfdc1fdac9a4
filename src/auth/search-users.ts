import { type Filter, ObjectId } from 'mongodb'
import { foldedText } from '../lib/folded-text.ts'
import type { UserSearch } from '../schemas/user.ts'
import type { UserRow } from '../users/user-row.ts'
import type { AuthContext } from './context.ts'

export interface FoundUsers {
  rows: UserRow[]
  /** Pass it to the next call; null: these are the last ones. */
  cursor: string | null
}

/** Users whose user name is the text that was searched for; there may be several, because accents are ignored. */
const exactMax = 10
/** Before the first id. */
const beginning = '0'.repeat(24)

/**
 * A page of the active users each of whose names is searched for by the beginnings of its words, in any order; after an
 * @ by the beginning of their user name. Who bears exactly that user name comes first, the others by id.
 */
export async function searchUsers (
  { users }: AuthContext, { search = '', limit, cursor }: UserSearch
): Promise<FoundUsers> {
  const text = foldedText(search)
  const find = (filter: Filter<UserRow>, count: number) => users
    .find({ isActive: { $ne: false }, ...filter }, { projection: { fullName: 1, username: 1, profilePicture: 1 } })
    .sort({ _id: 1 }).limit(count).toArray()
  const exact = text === '' ? [] : await find({ searchKeys: `@${text.replace(/^@/, '')}` }, exactMax)
  const first = cursor === undefined ? exact.slice(0, limit) : []
  const rows = await find({
    ...matching(text),
    _id: { $gt: ObjectId.createFromHexString(cursor ?? beginning), $nin: exact.map(({ _id }) => _id) }
  }, limit - first.length + 1)
  const others = rows.slice(0, limit - first.length)
  const hasMore = rows.length > others.length
  return { rows: [...first, ...others], cursor: hasMore ? others.at(-1)?._id.toHexString() ?? beginning : null }
}

/** Anchored patterns, so that an index is used. */
function matching (text: string): Filter<UserRow> {
  const words = text.split(' ').filter(word => word !== '' && word !== '@')
  return words.length === 0 ? {} : { $and: words.map(word => ({ searchKeys: startingWith(word) })) }
}

function startingWith (text: string): { $regex: string } {
  return { $regex: `^${text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}` }
}
