import { BSON } from 'mongodb'
import type { LogCollections } from '../model/collections.ts'
import type { LogRow } from '../model/types.ts'
import type { ReliedRow } from './draft.ts'
import {
  type CommitUnit, type Plan, type PlanInput, type UnitOutcome, duplicateOutcome, idempotencyKeyOf
} from './plan.ts'

/**
 * Settles unknown outcomes. A mistake here would store a message twice, or acknowledge a message that is not stored.
 */

/**
 * Was a plan with an unknown outcome committed? A transaction is atomic, so one new message of the plan tells: no other
 * plan has its `_id`. A plan without a new message counts as committed if everything that it wrote is stored exactly
 * so. If another commit has changed a part of that since, the units are planned again: they set values, so a second
 * time does no harm.
 */
export async function wasCommitted (plan: Plan, input: PlanInput, { rows }: LogCollections): Promise<boolean> {
  const added = newMessageOf(plan)
  if (added !== undefined) return (await rows.find({ _id: added._id }).limit(1).toArray()).length > 0
  return plan.rows.every(({ to }) => isSame(input.rows.get(to._id.toHexString()), to)) &&
    plan.members.every(({ key, to }) => isSame(input.members.get(key), to))
}

function newMessageOf ({ rows }: Plan): LogRow | undefined {
  return rows.find(({ from, to }) => from === null && to.kind === 'message')?.to
}

/**
 * The message by which `wasCommitted` tells may have been looked for too early. The next plan relies on its absence:
 * its transaction sees for certain whether it is there, and one that adds the message itself fails if it is.
 */
export function absentIfNotCommitted (plan: Plan, next: Plan): ReliedRow[] {
  const added = newMessageOf(plan)
  const isAdding = next.rows.some(({ from, to }) => from === null && added?._id.equals(to._id) === true)
  if (added === undefined || isAdding) return []
  return [{ _id: added._id, rev: undefined }]
}

/**
 * For each unit, its outcome if its message is stored already, under its idempotency key or its `_id`. After an unknown
 * outcome the row with the unit's own `_id` may come from that try. Such a row is passed over: `wasCommitted` settles
 * it.
 */
export async function findDuplicates (
  units: readonly CommitUnit[], { rows }: LogCollections, afterUnknownOutcome: boolean
): Promise<Array<UnitOutcome | undefined>> {
  const firsts = units.map(({ mutations: [mutation] }) => mutation?.type === 'append' ? mutation : undefined)
  const stored = await rows.find({
    $or: [
      { _id: { $in: firsts.flatMap(mutation => mutation?.row._id ?? []) } },
      ...firsts.flatMap(mutation => {
        const { senderId, clientMessageId } = mutation?.row ?? {}
        if (mutation === undefined || clientMessageId === undefined || senderId === undefined) return []
        return [{ conversationId: mutation.conversationId, senderId, clientMessageId }]
      })
    ]
  }).toArray()
  const byId = new Map(stored.map(row => [row._id.toHexString(), row]))
  const byKey = new Map(stored.map(row => {
    return [idempotencyKeyOf({ mutations: [{ type: 'append', conversationId: row.conversationId, row }] }), row]
  }))
  return units.map((unit, index) => {
    const key = idempotencyKeyOf(unit)
    const id = firsts[index]?.row._id
    const row = (key === null ? undefined : byKey.get(key)) ?? byId.get(id?.toHexString() ?? '')
    if (row === undefined || (afterUnknownOutcome && id?.equals(row._id) === true)) return undefined
    return duplicateOutcome(unit, row)
  })
}

/** Stored documents keep the order of their fields, so equal documents have equal bytes. */
function isSame (a: object | undefined, b: object | null): boolean {
  if (a === undefined || b === null) return a === undefined && b === null
  const bytes = (value: object) => Buffer.from(BSON.serialize(value, { ignoreUndefined: true }))
  return bytes(a).equals(bytes(b))
}
