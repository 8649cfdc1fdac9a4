import { TidelogError } from '../../errors.ts'
import { memberKey } from '../../log/model/types.ts'
import type { MentionsInput } from '../../schemas/message.ts'
import type { ChatContext } from '../context.ts'
import { type ConversationRef, objectId, otherUser, parseConversationId } from '../rules/conversation-id.ts'
import type { Identity } from '../../users/identity.ts'
import { everybody } from '../rules/mentions.ts'

/**
 * The mentions that the row stores: the named users who may see the message, without its sender.
 * @throws TidelogError NOT_ALLOWED for everybody, unless the caller owns or moderates the room or is an administrator
 */
export async function mentionedIn (
  context: ChatContext, identity: Identity, conversationId: string, mentions: MentionsInput | null | undefined
): Promise<string[]> {
  const ref = parseConversationId(conversationId)
  if (mentions == null || ref === null) return []
  const ids = [...new Set(mentions.userIds?.map(id => id.toLowerCase()))].filter(id => id !== identity.userId)
  const all = mentions.all === true
  if (all && !identity.isAdmin) await requireModerator(context, identity, ref)
  return [...all ? [everybody] : [], ...ids.length === 0 ? [] : await membersAmong(context, identity, ref, ids)]
}

async function requireModerator (
  { log }: ChatContext, { id }: Identity, { kind, conversationId }: ConversationRef
): Promise<void> {
  const role = kind === 'room' ? (await log.member(conversationId, id))?.role : undefined
  if (role !== 'owner' && role !== 'moderator') {
    throw new TidelogError('NOT_ALLOWED', 'Only the owner and moderators of a room may mention everybody')
  }
}

async function membersAmong (
  context: ChatContext, { userId }: Identity, ref: ConversationRef, ids: string[]
): Promise<string[]> {
  switch (ref.kind) {
    case 'direct': return ids.filter(id => id === otherUser(ref, userId))
    case 'common': {
      const users = await context.users.getMany(ids)
      return ids.filter(id => users.has(id) && users.get(id)!.isActive !== false)
    }
    case 'room': {
      const members = await Promise.all(ids.map(async id => await context.log.member(ref.conversationId, objectId(id))))
      const keys = new Set(members.map(member => member?._id))
      return ids.filter(id => keys.has(memberKey(ref.conversationId, objectId(id))))
    }
  }
}
