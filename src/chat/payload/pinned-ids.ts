import type { LogRow } from '../../log/model/types.ts'

/** The pinned messages of a `pins` row as clients get them. */
export function pinnedIds (row: LogRow | undefined): string[] {
  return row?.pins?.map(({ messageId }) => messageId.toHexString()) ?? []
}
