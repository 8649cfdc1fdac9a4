import type { RowPatch } from '../../log/commit/plan.ts'
import type { LogRow } from '../../log/model/types.ts'

/** The fields that a deletion removes from a message. */
const contentFields = [
  'message', 'listingId', 'replyTo', 'replySeq', 'replySenderId', 'mentioned', 'attachments', 'editedAt', 'reactions',
  'system', 'forwarded'
] as const

/** What a deletion changes of a message; null: it is deleted already. */
export function deletionOf ({ isDeleted }: LogRow): RowPatch | null {
  return isDeleted === true ? null : { set: { isDeleted: true }, unset: contentFields }
}

/** The tombstone that a deletion leaves of a message. */
export function tombstoneOf (row: LogRow): LogRow {
  const tombstone: LogRow = { ...row, isDeleted: true }
  for (const field of contentFields) Reflect.deleteProperty(tombstone, field)
  return tombstone
}
