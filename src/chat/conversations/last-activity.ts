import type { Head, Member } from '../../log/model/types.ts'

/** When something was said in a conversation, or the user came, whichever was later. Heads of older databases know only when something changed. */
export function lastActivityOf (
  { lastMessageAt, headSeq, clock, createdAt }: Pick<Head, 'lastMessageAt' | 'headSeq' | 'clock' | 'createdAt'>, member: Pick<Member, 'joinedAt'> | undefined
): Date {
  const said = lastMessageAt ?? (headSeq > 0 ? clock : createdAt)
  return member !== undefined && member.joinedAt > said ? member.joinedAt : said
}
