import type { MentionsInput } from '../../schemas/message.ts'

/** Stands for everybody in a row's `mentioned`; all else there is a user's id in hex. */
export const everybody = 'all'

/** What is asked for, in one form whatever the order and case: a part of what makes two sends the same. Undefined: nobody. */
export function mentionsKey (mentions: MentionsInput | null | undefined): string | undefined {
  const ids = [...new Set(mentions?.userIds?.map(id => id.toLowerCase()))].sort()
  const named = mentions?.all === true ? [everybody, ...ids] : ids
  return named.length === 0 ? undefined : named.join(' ')
}
