import type { LogCollections } from '../model/collections.ts'
import type { HeadCache } from '../read/head-cache.ts'
import type { PlanInput } from './plan.ts'
import type { Head, Member } from '../model/types.ts'
import { type Mutation, conversationsTouched, membersNeeded, rowsNeeded } from './mutation.ts'

/**
 * What a plan of these changes stands on: heads (from the cache where it has them: the transaction checks them), and the rows
 * and members that they need.
 * @param isSoleWriter nobody else writes to the database: what the cache has is so
 */
export async function readPlanInput (changes: readonly Mutation[], cache: HeadCache, collections: LogCollections, isAlone: boolean): Promise<PlanInput> {
  const heads = new Map<string, Head | null>()
  for (const change of changes) {
    for (const id of conversationsTouched(change, false)) {
      if (heads.get(id) === null) continue
      const head = cache.get(id)
      // A plan that changes nothing is not checked by a transaction: nothing may be refused because a cached head is old.
      const believed = head !== undefined && (id !== change.conversationId || mayUseCachedHead(head, change, isAlone))
      heads.set(id, believed ? head : null)
    }
  }
  // Heads first: a row or member read after its head is at least as new, and one that is newer fails the head's filter.
  await readHeads(collections, heads, [...heads].flatMap(([id, head]) => head === null ? [id] : []))
  const opens = (conversationId: string) => heads.get(conversationId) === null
  const opened = changes.filter(change => 'open' in change && opens(change.conversationId)).flatMap(change => conversationsTouched(change, true))
  await readHeads(collections, heads, [...new Set(opened)].filter(id => !heads.has(id)))

  const rowIds = changes.flatMap(change => rowsNeeded(change, opens(change.conversationId)))
  const memberKeys = new Set(changes.flatMap(membersNeeded))
  const rows = rowIds.length === 0 ? [] : await collections.rows.find({ _id: { $in: rowIds } }).toArray()
  const members = memberKeys.size === 0 ? [] : await collections.members.find({ _id: { $in: [...memberKeys] } }).toArray()
  return {
    heads,
    rows: new Map(rows.map(row => [row._id.toHexString(), row])),
    members: new Map(members.map((member: Member) => [member._id, member]))
  }
}

/** May this change be refused, or found to be so already, on a head that may be old? */
function mayUseCachedHead ({ headSeq }: Head, change: Mutation, isAlone: boolean): boolean {
  switch (change.type) {
    case 'read': return change.seq <= headSeq
    // Rules look at the settings of the head.
    case 'member':
    case 'settings':
    case 'meta': return isAlone
    case 'append':
    case 'revise':
    case 'put':
    case 'purge': return true
  }
}

async function readHeads ({ heads: conversations }: LogCollections, heads: Map<string, Head | null>, ids: string[]): Promise<void> {
  if (ids.length === 0) return
  for (const id of ids) heads.set(id, null)
  for await (const head of conversations.find({ _id: { $in: ids } })) heads.set(head._id, head)
}
