import type { LogRow } from '../../log/model/types.ts'

/** The fields that a deletion removes from a message. */
export const contentFields = [
  'message', 'listingId', 'replyTo', 'replySeq', 'replySenderId', 'mentioned', 'attachments', 'editedAt', 'reactions',
  'system', 'forwarded'
] as const

/** The tombstone that a deletion makes of a message. */
export function tombstoneOf (row: LogRow): LogRow {
  const tombstone: LogRow = { ...row, isDeleted: true }
  for (const field of contentFields) Reflect.deleteProperty(tombstone, field)
  return tombstone
}
