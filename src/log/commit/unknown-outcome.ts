import { BSON } from 'mongodb'
import type { LogCollections } from '../model/collections.ts'
import { type PlanInput, type UnitOutcome, type Plan, type CommitUnit, idempotencyKeyOf, duplicateOutcome } from './plan.ts'

/**
 * What became of a try that did not say so. If this went wrong, a message would be stored twice, or be acknowledged and
 * not be there.
 */

/**
 * Was this plan, whose commit is unknown, committed? It is atomic, so one new message of it tells: its id was chosen for
 * it. A plan without one counts as committed if all that it wrote is known to stand there exactly so; if somebody has written
 * over a part of it since, its units are decided anew on what is known (they set, so that a second time does no harm).
 */
export async function wasCommitted (plan: Plan, known: PlanInput, { rows }: LogCollections): Promise<boolean> {
  const added = plan.rows.find(({ from, to }) => from === null && to.kind === 'message')
  if (added !== undefined) return (await rows.find({ _id: added.to._id }).limit(1).toArray()).length > 0
  return plan.rows.every(({ to }) => isSame(known.rows.get(to._id.toHexString()), to)) &&
    plan.members.every(({ key, to }) => isSame(known.members.get(key), to))
}

/**
 * For each unit, its outcome if the message that it sends is stored already, under its client id or its own id. After a
 * doubtful try the row itself may be that try's, which is for `wasCommitted` to settle: it is passed over.
 */
export async function findDuplicates (units: readonly CommitUnit[], { rows }: LogCollections, afterUnknownOutcome: boolean): Promise<Array<UnitOutcome | undefined>> {
  const firsts = units.map(({ mutations: [change] }) => change?.type === 'append' ? change : undefined)
  const stored = await rows.find({
    $or: [
      { _id: { $in: firsts.flatMap(change => change?.row._id ?? []) } },
      ...firsts.flatMap(change => change?.row.clientMessageId === undefined || change.row.senderId === undefined
        ? []
        : [{ conversationId: change.conversationId, senderId: change.row.senderId, clientMessageId: change.row.clientMessageId }])
    ]
  }).toArray()
  const byId = new Map(stored.map(row => [row._id.toHexString(), row]))
  const byClaim = new Map(stored.map(row => [idempotencyKeyOf({ mutations: [{ type: 'append', conversationId: row.conversationId, row }] }), row]))
  return units.map((unit, index) => {
    const claim = idempotencyKeyOf(unit)
    const row = (claim === null ? undefined : byClaim.get(claim)) ?? byId.get(firsts[index]?.row._id.toHexString() ?? '')
    if (row === undefined || (afterUnknownOutcome && firsts[index]?.row._id.equals(row._id) === true)) return undefined
    return duplicateOutcome(unit, row)
  })
}

/** A stored document keeps the order of its fields: the same bytes are the same document. */
function isSame (a: object | undefined, b: object | null): boolean {
  if (a === undefined || b === null) return a === undefined && b === null
  return Buffer.from(BSON.serialize(a, { ignoreUndefined: true })).equals(BSON.serialize(b, { ignoreUndefined: true }))
}
