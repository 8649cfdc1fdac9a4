import { parseConversationId } from '../chat/conversation-id.ts'
import { generationOf } from '../chat/view.ts'
import { selfLogId } from '../log/types.ts'
import type { Identity } from '../auth/identity.ts'
import type { SyncContext } from '../sync/context.ts'
import type { Place } from '../sync/places.ts'
import { readHeads } from '../sync/look.ts'
import type { Live } from './services.ts'
import { liveRoom } from './types.ts'

/** Where a conversation stands. */
export interface LiveHead {
  rev: number
  cursor: string
}

/**
 * Subscribes a socket to all conversations of its user, present and future, and then says where they stand: who syncs from
 * what they had to there, and applies what arrives meanwhile, misses nothing.
 */
export async function goLive ({ socket, sync, subscriptions, beacon }: Live): Promise<Record<string, LiveHead>> {
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
  const { places, selfHead, heads } = await readHeads(sync, identity)
  const answer: Record<string, LiveHead> = {}
  places.all.forEach((place, index) => {
    const head = heads[index]
    if (head === undefined || head.deleted === true) return
    const position = { rev: head.headRev, clock: head.clock.getTime(), generation: generationOf(head, place.joined, selfHead) }
    answer[place.wireId] = { rev: head.headRev, cursor: sync.places.cursorAt(userId, place, position) }
    // Where one more is theirs meanwhile of which nothing was heard yet, the next beat looks.
    if (index > 0 || places.rev === entered) beacon.found(place.conversationId, head.headRev)
  })
  return answer
}

/** A user's conversations of which their sockets must be let in: direct messages come to all sockets of their users. */
export async function sharedPlaces ({ places, chat: { log } }: SyncContext, identity: Identity): Promise<{ rev: number, shared: Place[] }> {
  const { rev, all } = await places.of(identity, await log.head(selfLogId(identity.userId)))
  return { rev, shared: all.filter(({ conversationId }) => isShared(conversationId)) }
}

function isShared (conversationId: string): boolean {
  const kind = parseConversationId(conversationId)?.kind
  return kind === 'room' || kind === 'common'
}
