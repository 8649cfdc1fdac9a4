import { type Head, selfLogId } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import { type JoinInfo, type View, viewOf } from '../rules/view.ts'
import type { Identity } from '../../users/identity.ts'

/** The caller's view of a conversation as of its head, or null. */
export async function callerView (context: ChatContext, identity: Identity, head: Head, member: JoinInfo | undefined): Promise<View | null> {
  const { selfHead, blocked } = await blockedSenders(context, identity)
  return viewOf(head, member, selfHead, blocked)
}

/** The users whom the caller has blocked, as of the self log's head. `viewOf` makes the caller's view from both. */
export async function blockedSenders ({ log, blocks }: ChatContext, { id, userId }: Identity): Promise<{ selfHead: Head | undefined, blocked: ReadonlySet<string> }> {
  const selfHead = await log.head(selfLogId(id))
  return { selfHead, blocked: await blocks.getAsOf(userId, selfHead) }
}
