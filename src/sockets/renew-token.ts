import type { Prepared } from '../chat/send.ts'
import { TidelogError } from '../errors.ts'
import type { Answer } from './acknowledge.ts'
import { type Live, sessionRoom } from './types.ts'

/** Lets a socket live on under a newer token of the same user. @throws TidelogError INVALID_TOKEN, UNKNOWN_USER, NOT_ALLOWED */
export async function renewToken ({ socket, verifyToken, tokenClock }: Live, token: string): Promise<Prepared<Answer>> {
  const before = socket.data.session
  const session = await verifyToken(token)
  if (session.identity.userId !== before.identity.userId) throw new TidelogError('NOT_ALLOWED', 'The token belongs to another user')
  await socket.join(sessionRoom(session.identity.sessionId))
  if (before.identity.sessionId !== session.identity.sessionId) await socket.leave(sessionRoom(before.identity.sessionId))
  // A logout that came between the check and the join has not reached this socket: look again.
  const { identity, expiresAt, issuedAt } = await verifyToken(token)
  socket.data.session = { identity, expiresAt, issuedAt }
  if (socket.connected) tokenClock.follow({ expiresAt, issuedAt })
  return async () => ({ ack: { expiresAt: expiresAt?.toISOString() ?? null } })
}
