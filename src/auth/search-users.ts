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
/** Users at whom one call looks at least, and at once, if not everybody may be found. */
const lookedAtMax = 500
const lookedAtOnce = 100
/** Before the first id. */
const beginning = '0'.repeat(24)

/**
 * A page of the active users each of whose names is searched for by the beginnings of its words, in any order; after an
 * @ by the beginning of their user name. Who bears exactly that user name comes first, the others by id.
 * @param mayBeFound which of these users (ids in hex) the caller may find; undefined: everybody
 */
export async function searchUsers (
  { users }: AuthContext, { search = '', limit, cursor }: UserSearch,
  mayBeFound?: (ids: readonly string[]) => Promise<ReadonlySet<string>>
): Promise<FoundUsers> {
  const text = foldedText(search)
  const find = (filter: Filter<UserRow>, count: number) => users
    .find({ isActive: { $ne: false }, ...filter }, { projection: { fullName: 1, username: 1, profilePicture: 1 } })
    .sort({ _id: 1 }).limit(count).toArray()
  const open = async (rows: UserRow[]) => {
    if (mayBeFound === undefined) return rows
    const ids = await mayBeFound(rows.map(({ _id }) => _id.toHexString()))
    return rows.filter(({ _id }) => ids.has(_id.toHexString()))
  }
  const exact = text === '' ? [] : await find({ searchKeys: `@${text.replace(/^@/, '')}` }, exactMax)
  const first = cursor === undefined ? (await open(exact)).slice(0, limit) : []
  const room = limit - first.length
  const atOnce = mayBeFound === undefined ? room + 1 : Math.max(room + 1, lookedAtOnce)
  const others: UserRow[] = []
  let after = cursor ?? beginning
  let hasMore = true
  for (let lookedAt = 0; hasMore && others.length <= room && lookedAt < lookedAtMax;) {
    const rows = await find({
      ...matching(text),
      _id: { $gt: ObjectId.createFromHexString(after), $nin: exact.map(({ _id }) => _id) }
    }, atOnce)
    others.push(...await open(rows))
    lookedAt += rows.length
    hasMore = rows.length === atOnce
    after = rows.at(-1)?._id.toHexString() ?? after
  }
  if (others.length <= room) return { rows: [...first, ...others], cursor: hasMore ? after : null }
  const page = others.slice(0, room)
  return { rows: [...first, ...page], cursor: page.at(-1)?._id.toHexString() ?? cursor ?? beginning }
}

/** Anchored patterns, so that an index is used. */
function matching (text: string): Filter<UserRow> {
  const words = text.split(' ').filter(word => word !== '' && word !== '@')
  return words.length === 0 ? {} : { $and: words.map(word => ({ searchKeys: startingWith(word) })) }
}

function startingWith (text: string): { $regex: string } {
  return { $regex: `^${text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}` }
}
