import type { Head, Member } from '../../log/model/types.ts'

/**
 * The time of the last message, or of the user's joining if that is later. Heads of older databases have only the time
 * of the last change.
 */
export function lastActivityOf (
  { lastMessageAt, headSeq, clock, createdAt }: Pick<Head, 'lastMessageAt' | 'headSeq' | 'clock' | 'createdAt'>,
  member: Pick<Member, 'joinedAt'> | undefined
): Date {
  const said = lastMessageAt ?? (headSeq > 0 ? clock : createdAt)
  return member !== undefined && member.joinedAt.getTime() > said.getTime() ? member.joinedAt : said
}
