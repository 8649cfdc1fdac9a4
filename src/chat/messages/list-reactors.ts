import { TidelogError } from '../../errors.ts'
import { type PublicUser, publicUser } from '../../users/public-user.ts'
import type { Identity } from '../../users/identity.ts'
import { requireVisibleMessage } from '../access/access.ts'
import type { ChatContext } from '../context.ts'
import { isEmoji, reactorsWith } from '../rules/reactions.ts'

export interface ReactorsInput {
  messageId: string
  emoji: string
  /** The last user of the previous page. */
  cursor?: string
  limit?: number
}

export interface ReactorPage {
  users: PublicUser[]
  /** How many there are on all pages. */
  count: number
  hasMore: boolean
  /** Pass it to the next call; null at the end. */
  cursor: string | null
}

/**
 * Everybody who reacted to a message with an emoji, by id: so a page begins at the right place even if the last user of
 * the previous one has taken the reaction back. Users whom the caller has blocked are left out, as in the message.
 * @throws TidelogError VALIDATION (no emoji), NOT_FOUND
 */
export async function listReactors (
  context: ChatContext, identity: Identity, { messageId, emoji, cursor, limit = 50 }: ReactorsInput
): Promise<ReactorPage> {
  if (!isEmoji(emoji)) throw new TidelogError('VALIDATION', 'emoji must be one emoji')
  const { row } = await requireVisibleMessage(context, identity, messageId)
  // In a direct conversation a block hides nothing old.
  const hidden = row.receiverId === undefined ? await context.blocks.get(identity.userId) : undefined
  const all = reactorsWith(row.reactions, emoji, hidden).sort()
  const after = cursor?.toLowerCase() ?? ''
  const rest = all.filter(id => id > after)
  const page = rest.slice(0, limit)
  const users = await context.users.getMany(page)
  const hasMore = rest.length > page.length
  return {
    users: page.map(id => publicUser(id, users.get(id))),
    count: all.length,
    hasMore,
    cursor: hasMore ? page.at(-1) ?? null : null
  }
}
