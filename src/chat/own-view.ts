import type { Identity } from '../auth/identity.ts'
import { type Head, selfLogId } from '../log/types.ts'
import type { ChatContext } from './context.ts'
import { type Joined, type View, viewOf } from './view.ts'

/** The caller's view of a conversation as of its head, or null. */
export async function ownView ({ log, blocks }: ChatContext, { id, userId }: Identity, head: Head, member: Joined | undefined): Promise<View | null> {
  const selfHead = await log.head(selfLogId(id))
  return viewOf(head, member, selfHead, await blocks.at(userId, selfHead))
}
