import { type Head, selfLogId } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import type { Memberships } from '../directories/membership-directory.ts'
import { type JoinInfo, type View, viewOf } from '../rules/view.ts'
import type { Identity } from '../../users/identity.ts'

/** What decides a user's view of every conversation, beside its head and their membership. */
export interface Viewer {
  selfHead: Head | undefined
  /** The users whom they have blocked, as of the self log's head. */
  blocked: ReadonlySet<string>
}

/** The caller's view of a conversation as of its head, or null. */
export async function callerView (
  context: ChatContext, identity: Identity, head: Head, member: JoinInfo | undefined
): Promise<View | null> {
  const { selfHead, blocked } = await readViewer(context, identity)
  return viewOf(head, member, selfHead, blocked)
}

export async function readViewer ({ log, blocks }: ChatContext, { userId }: Identity): Promise<Viewer> {
  const selfHead = await log.head(selfLogId(userId))
  return { selfHead, blocked: await blocks.getAsOf(userId, selfHead) }
}

/** The caller's memberships too, as of the same head. */
export async function readViewerAndMemberships (
  { log, blocks, memberships }: ChatContext, identity: Identity
): Promise<Viewer & { memberships: Memberships }> {
  const selfHead = await log.head(selfLogId(identity.userId))
  const [blocked, mine] = await Promise.all([
    blocks.getAsOf(identity.userId, selfHead), memberships.of(identity, selfHead)
  ])
  return { selfHead, blocked, memberships: mine }
}
