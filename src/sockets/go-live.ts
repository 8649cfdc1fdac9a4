import { parseConversationId } from '../chat/rules/conversation-id.ts'
import { generationOf } from '../chat/rules/view.ts'
import { subscribableConversations } from '../live/shared-conversations.ts'
import { readUserHeads } from '../sync/due.ts'
import type { SocketContext } from './context.ts'
import { liveRoom } from '../connection/socket-types.ts'

/** A conversation's last rev and cursor. */
export interface LiveHead {
  rev: number
  cursor: string
}

/**
 * Subscribes a socket to all present and future conversations of its user, or to those among them that it names, and to
 * the self log, then returns their heads. A client misses nothing if it syncs from its cursors to these heads and
 * applies the events that arrive meanwhile.
 */
export async function goLive (
  { socket, sync, nodes, subscriptions, live }: SocketContext, only?: readonly string[]
): Promise<Record<string, LiveHead>> {
  const { identity } = socket.data.session
  const { userId } = identity
  const named = only?.flatMap(id => parseConversationId(id)?.conversationId ?? [])
  subscriptions.choose(socket, named)
  // Future conversations first: one that begins during the read of the present ones is subscribed by its own change.
  if (socket.connected) await socket.join(liveRoom(userId))
  let subscribed = 0
  await subscriptions.subscribeAll(socket, async () => {
    const { rev, shared } = await subscribableConversations(sync, identity)
    subscribed = rev
    return shared
  })
  // From here on this node hears of every change above the heads.
  await nodes.channels.settled()
  const { own, selfHead, asked, heads } = await readUserHeads(sync, identity, named)
  const answer: Record<string, LiveHead> = {}
  asked.forEach((conversation, index) => {
    const head = heads[index]
    if (head === undefined || head.deleted === true) return
    const position = {
      rev: head.headRev, clock: head.clock.getTime(), generation: generationOf(head, conversation.joined, selfHead)
    }
    const cursor = sync.conversations.cursorAt(userId, conversation, position)
    answer[conversation.wireId] = { rev: head.headRev, cursor }
    // If the list has grown meanwhile by a conversation that sent no event yet, the next heartbeat checks it.
    if (index > 0 || own.rev === subscribed) live.heartbeat.recordSeen(head._id, head.headRev, socket)
  })
  return answer
}
