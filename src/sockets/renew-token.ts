import type { Session } from '../auth/identity.ts'
import { TidelogError } from '../errors.ts'
import type { Reply } from './reply.ts'
import type { SocketContext } from './context.ts'
import { sessionRoom } from '../connection/socket-types.ts'
import type { PreparedCommit } from '../chat/context.ts'

/**
 * Continues a socket under a newer token of the same user. @throws TidelogError INVALID_TOKEN, UNKNOWN_USER,
 * NOT_ALLOWED
 */
export async function renewToken (live: SocketContext, token: string): Promise<PreparedCommit<Reply>> {
  const { socket, verifyToken, tokenClock } = live
  const before = sessionRoom(socket.data.session.identity.sessionId)
  const offered = await verifyToken(token)
  if (offered.identity.userId !== socket.data.session.identity.userId) {
    throw new TidelogError('NOT_ALLOWED', 'The token belongs to another user')
  }
  const after = sessionRoom(offered.identity.sessionId)
  if (socket.connected) await socket.join(after)
  let session: Session
  try {
    // A logout between the check and the join has not reached this socket: check again.
    session = await verifyToken(token)
  } catch (error) {
    if (after !== before) await socket.leave(after)
    throw error
  }
  if (after !== before) await socket.leave(before)
  socket.data.session = session
  if (socket.connected) tokenClock.follow(session)
  return async () => ({ ack: { expiresAt: session.expiresAt?.toISOString() ?? null } })
}
