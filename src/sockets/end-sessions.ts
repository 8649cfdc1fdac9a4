import { type Revocation, requireGood } from '../auth/identity.ts'
import type { UserRow } from '../users/user-row.ts'
import { socketsIn } from '../connection/socket-io.ts'
import { type ChatServer, sessionRoom, userRoom } from '../connection/socket-types.ts'
import type { LongPolls } from '../sync/waiters.ts'

interface Served {
  io: ChatServer
  longPolls: LongPolls
}

/** Closes the sockets and long polls of sessions that have ended. */
export function endSessions ({ io, longPolls }: Served, { userId, sessionId, keptSessionId }: Revocation): void {
  longPolls.endOf(userId)
  const ended = io.local.in(sessionId === undefined ? userRoom(userId) : sessionRoom(sessionId))
  const kept = keptSessionId === undefined ? ended : ended.except(sessionRoom(keptSessionId))
  kept.disconnectSockets(true)
}

/** Closes those of a user's sockets whose session has ended, by the user's row of now; ends the user's long polls. */
export function endRevoked ({ io, longPolls }: Served, user: UserRow, now: number): void {
  const userId = user._id.toHexString()
  longPolls.endOf(userId)
  for (const socket of socketsIn(io, [userRoom(userId)])) {
    try {
      requireGood(socket.data.session, user, now)
    } catch {
      socket.disconnect(true)
    }
  }
}
