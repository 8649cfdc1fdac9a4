import type { LogCollections } from '../model/collections.ts'
import type { HeadCache } from '../read/head-cache.ts'
import type { PlanInput } from './plan.ts'
import type { Head, Member } from '../model/types.ts'
import { type Mutation, conversationsTouched, membersNeeded, rowsNeeded } from './mutation.ts'

/**
 * Reads what the plan of these mutations is made on: heads, and the rows and members that the mutations need. Cached
 * heads may be old, because the transaction checks them.
 */
export async function readPlanInput (
  mutations: readonly Mutation[], cache: HeadCache, collections: LogCollections
): Promise<PlanInput> {
  const heads = new Map<string, Head | null>()
  for (const mutation of mutations) {
    for (const id of conversationsTouched(mutation, false)) {
      if (heads.get(id) === null) continue
      const head = cache.get(id)
      // No transaction checks a plan that changes nothing: an old head must not lead to a refusal.
      const isUsable = head !== undefined &&
        (id !== mutation.conversationId || mayUseCachedHead(head, mutation, cache.isSoleWriter))
      heads.set(id, isUsable ? head : null)
    }
  }
  // Heads first: a row or member that is read after its head is at least as new. If it is newer, the head's filter
  // fails. Heads that an opening would need come along, because the database may be far away.
  const unknown = [...heads].flatMap(([id, head]) => head === null ? [id] : [])
  const opens = (conversationId: string) => heads.get(conversationId) === null
  const openedBy = () => mutations.filter(mutation => 'open' in mutation && opens(mutation.conversationId))
    .flatMap(mutation => conversationsTouched(mutation, true))
  const found = await readHeads(collections, [...new Set([...unknown, ...openedBy()])])
  for (const id of unknown) heads.set(id, found.get(id) ?? null)
  for (const id of openedBy()) if (!heads.has(id)) heads.set(id, found.get(id) ?? null)

  const rowIds = mutations.flatMap(mutation => rowsNeeded(mutation, opens(mutation.conversationId)))
  const memberKeys = new Set(mutations.flatMap(membersNeeded))
  const [rows, members] = await Promise.all([
    rowIds.length === 0 ? [] : collections.rows.find({ _id: { $in: rowIds } }).toArray(),
    memberKeys.size === 0 ? [] : collections.members.find({ _id: { $in: [...memberKeys] } }).toArray()
  ])
  return {
    heads,
    rows: new Map(rows.map(row => [row._id.toHexString(), row])),
    members: new Map(members.map((member: Member) => [member._id, member]))
  }
}

/** May a head that is possibly old lead to a refusal of this mutation, or to the outcome `unchanged`? */
function mayUseCachedHead ({ headSeq, postRole, slowModeS }: Head, mutation: Mutation, isSoleWriter: boolean): boolean {
  switch (mutation.type) {
    case 'read': return mutation.seq <= headSeq
    // Rules read the head's settings.
    case 'member':
    case 'settings':
    case 'meta': return isSoleWriter
    case 'append': return isSoleWriter || (postRole === undefined && slowModeS === undefined)
    case 'revise':
    case 'pin':
    case 'put':
    case 'purge': return true
  }
}

async function readHeads ({ heads }: LogCollections, ids: string[]): Promise<Map<string, Head>> {
  if (ids.length === 0) return new Map()
  const found = await heads.find({ _id: { $in: ids } }).toArray()
  return new Map(found.map(head => [head._id, head]))
}
