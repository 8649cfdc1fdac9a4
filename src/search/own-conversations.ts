import { readViewerAndMemberships, readViewer } from '../chat/access/caller-view.ts'
import { requireAccess } from '../chat/access/access.ts'
import { withHeads } from '../chat/conversations/unread.ts'
import type { ChatContext } from '../chat/context.ts'
import { parseConversationId } from '../chat/rules/conversation-id.ts'
import { type View, viewOf } from '../chat/rules/view.ts'
import type { Head } from '../log/model/types.ts'
import type { Identity } from '../users/identity.ts'

/** A conversation that the caller may search. */
export interface OwnConversation {
  head: Head
  view: View
}

/**
 * The caller's direct conversations and rooms, or the one that they name, which may be the common chat.
 * @param from without the direct conversations in which this user is not
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED
 */
export async function ownConversations (
  context: ChatContext, identity: Identity, conversationId: string | undefined, from?: string
): Promise<Map<string, OwnConversation>> {
  const own = new Map<string, OwnConversation>()
  const add = (head: Head, view: View | null) => {
    if (view !== null && head.headSeq > view.afterSeq) own.set(head._id, { head, view })
  }
  if (conversationId !== undefined) {
    const { head, member } = await requireAccess(context, identity, conversationId)
    const { selfHead, blocked } = await readViewer(context, identity)
    if (head !== undefined) add(head, viewOf(head, member, selfHead, blocked))
    return own
  }
  const { selfHead, blocked, memberships } = await readViewerAndMemberships(context, identity)
  for (const { head, member } of await withHeads(context, memberships)) {
    if (member === undefined || (from !== undefined && !mayHaveSent(head._id, from))) continue
    add(head, viewOf(head, member, selfHead, blocked))
  }
  return own
}

function mayHaveSent (conversationId: string, userId: string): boolean {
  const ref = parseConversationId(conversationId)
  return ref?.kind !== 'direct' || ref.userIds.includes(userId)
}
