import { parseConversationId } from '../chat/rules/conversation-id.ts'
import { generationOf } from '../chat/rules/view.ts'
import { selfLogId } from '../log/model/types.ts'
import type { SyncContext } from '../sync/context.ts'
import type { UserConversation } from '../sync/user-conversations.ts'
import { readUserHeads } from '../sync/due.ts'
import type { SocketContext } from './context.ts'
import { liveRoom } from './types.ts'
import type { Identity } from '../users/identity.ts'

/** Where a conversation stands. */
export interface LiveHead {
  rev: number
  cursor: string
}

/**
 * Subscribes a socket to all conversations of its user, present and future, and then says where they stand: who syncs from
 * what they had to there, and applies what arrives meanwhile, misses nothing.
 */
export async function goLive ({ socket, sync, subscriptions, beacon }: SocketContext): Promise<Record<string, LiveHead>> {
  const { identity } = socket.data.session
  const { userId } = identity
  // First the future ones: what begins while the present ones are read is let in by its own change.
  if (socket.connected) await socket.join(liveRoom(userId))
  subscriptions.wantAll(socket)
  let entered = 0
  await subscriptions.enterAll(socket, async () => {
    const { rev, shared } = await sharedPlaces(sync, identity)
    entered = rev
    return shared
  })
  const { places, selfHead, heads } = await readUserHeads(sync, identity)
  const answer: Record<string, LiveHead> = {}
  places.list.forEach((place, index) => {
    const head = heads[index]
    if (head === undefined || head.deleted === true) return
    const position = { rev: head.headRev, clock: head.clock.getTime(), generation: generationOf(head, place.joined, selfHead) }
    answer[place.wireId] = { rev: head.headRev, cursor: sync.conversations.cursorAt(userId, place, position) }
    // Where one more is theirs meanwhile of which nothing was heard yet, the next beat looks.
    if (index > 0 || places.rev === entered) beacon.found(place.conversationId, head.headRev)
  })
  return answer
}

/** A user's conversations of which their sockets must be let in: direct messages come to all sockets of their users. */
export async function sharedPlaces ({ conversations, chat: { log } }: SyncContext, identity: Identity): Promise<{ rev: number, shared: UserConversation[] }> {
  const { rev, list } = await conversations.get(identity, await log.head(selfLogId(identity.userId)))
  return { rev, shared: list.filter(({ conversationId }) => isShared(conversationId)) }
}

function isShared (conversationId: string): boolean {
  const kind = parseConversationId(conversationId)?.kind
  return kind === 'room' || kind === 'common'
}
