import { BSON } from 'mongodb'
import type { LogCollections } from './collections.ts'
import { type Outcome, type Plan, type Unit, claimOf, settleRepeat } from './plan.ts'

/**
 * What became of a try that did not say so. If this went wrong, a message would be stored twice, or be acknowledged and
 * not be there.
 */

/**
 * Was this plan, whose commit is unknown, committed? It is atomic, so one new row of it tells: their ids were chosen for
 * it. A plan without one counts as committed if all that it wrote stands there exactly so; if somebody has written over a
 * part of it since, its units are decided anew on what they find (they set, so that a second time does no harm).
 */
export async function isApplied (plan: Plan, { log, members }: LogCollections): Promise<boolean> {
  const added = plan.rows.flatMap(({ from, to }) => from === null ? [to._id] : [])
  if (added.length > 0) return (await log.find({ _id: { $in: added } }).limit(1).toArray()).length > 0
  const written = [...plan.rows.map(({ to }) => to), ...plan.members.flatMap(({ to }) => to ?? [])]
  const stored = [
    ...plan.rows.length === 0 ? [] : await log.find({ _id: { $in: plan.rows.map(({ to }) => to._id) } }).toArray(),
    ...plan.members.length === 0 ? [] : await members.find({ _id: { $in: plan.members.map(({ key }) => key) } }).toArray()
  ]
  const storedBytes = new Map(stored.map(document => [String(document._id), bytesOf(document)]))
  return written.every(document => storedBytes.get(String(document._id))?.equals(bytesOf(document)) === true)
}

/** For each unit, its outcome if the message that it sends is stored already (under its client id, or its own id). */
export async function findRepeats (units: readonly Unit[], { log }: LogCollections): Promise<Array<Outcome | undefined>> {
  const firsts = units.map(({ changes: [change] }) => change?.type === 'append' ? change : undefined)
  const stored = await log.find({
    $or: [
      { _id: { $in: firsts.flatMap(change => change?.row._id ?? []) } },
      ...firsts.flatMap(change => change?.row.clientMessageId === undefined || change.row.senderId === undefined
        ? []
        : [{ conversationId: change.conversationId, senderId: change.row.senderId, clientMessageId: change.row.clientMessageId }])
    ]
  }).toArray()
  const byId = new Map(stored.map(row => [row._id.toHexString(), row]))
  const byClaim = new Map(stored.map(row => [claimOf({ changes: [{ type: 'append', conversationId: row.conversationId, row }] }), row]))
  return units.map((unit, index) => {
    const claim = claimOf(unit)
    const row = (claim === null ? undefined : byClaim.get(claim)) ?? byId.get(firsts[index]?.row._id.toHexString() ?? '')
    return row === undefined ? undefined : settleRepeat(unit, row)
  })
}

/** A stored document keeps the order of its fields: the same bytes are the same document. */
function bytesOf (document: object): Buffer {
  return Buffer.from(BSON.serialize(document, { ignoreUndefined: true }))
}
