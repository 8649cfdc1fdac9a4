import type { MentionsInput } from '../../schemas/message.ts'

/** Means everybody in a row's `mentioned`. The other entries are users' ids in hex. */
export const everybody = 'all'

/** The requested mentions in one form, ignoring order and case, to compare two sends. Undefined: none. */
export function mentionsKey (mentions: MentionsInput | null | undefined): string | undefined {
  const ids = [...new Set(mentions?.userIds?.map(id => id.toLowerCase()))].sort()
  const named = mentions?.all === true ? [everybody, ...ids] : ids
  return named.length === 0 ? undefined : named.join(' ')
}
