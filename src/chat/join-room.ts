import type { Identity } from '../auth/identity.ts'
import { TidelogError } from '../errors.ts'
import type { Opening } from '../log/plan.ts'
import type { ChatContext } from './context.ts'
import { isServerMade, normalRoomId, roomConversationId } from './conversation-id.ts'
import { joining } from './room-rules.ts'
import type { Prepared } from './send.ts'

export interface Joined {
  roomId: string
  conversationId: string
}

/**
 * Makes the caller a member of a public room; whoever is one already stays what they are. An unknown id that is not of
 * the server's form opens a public room with the caller as its owner.
 * @throws TidelogError NOT_FOUND (unknown, deleted, or private and the caller no member), NOT_ALLOWED (banned), RATE_LIMITED
 */
export async function joinRoom (context: ChatContext, identity: Identity, roomId: string): Promise<Joined> {
  return await (await prepareJoin(context, identity, roomId))()
}

export async function prepareJoin (context: ChatContext, identity: Identity, given: string): Promise<Prepared<Joined>> {
  context.countSend(identity.userId)
  const roomId = normalRoomId(given)
  const conversationId = roomConversationId(roomId)
  const open: Opening | undefined = isServerMade(roomId) ? undefined : { kind: 'room', name: roomId, isPrivate: false, members: [] }
  return async () => {
    const outcome = await context.log.commit({
      changes: [{ type: 'member', conversationId, userId: identity.id, role: joining, ...(open === undefined ? {} : { open }) }]
    })
    if (outcome.outcome === 'refused') throw outcome.error
    if (outcome.outcome !== 'committed' && outcome.outcome !== 'unchanged') throw new TidelogError('NOT_FOUND')
    return { roomId, conversationId }
  }
}
