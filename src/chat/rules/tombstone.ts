import type { LogRow } from '../../log/model/types.ts'

/** What goes of a message when it is deleted. */
export const contentFields = ['message', 'listingId', 'replyTo', 'replySeq', 'replySenderId', 'mentioned', 'editedAt', 'reactions'] as const

/** A message as it would be if it were deleted. */
export function tombstoneOf (row: LogRow): LogRow {
  const tombstone: LogRow = { ...row, isDeleted: true }
  for (const field of contentFields) Reflect.deleteProperty(tombstone, field)
  return tombstone
}
