import type { EventEmitter } from 'node:events'
import { BSON } from 'mongodb'
import type { Revocation } from '../auth/identity.ts'
import type { ChatContext } from '../chat/context.ts'
import type { CommittedBatch } from '../log/commit/committer.ts'
import type { ChatServer } from '../connection/socket-types.ts'
import { isClustered } from '../connection/socket-io.ts'

/**
 * Tells the other nodes what they cannot see by themselves: what was committed here, who was logged out, which user has
 * changed. Each of them then delivers to its own sockets, whose views and memberships it knows. If the adapter joins no
 * nodes, nobody is told.
 */
export function startRelay (
  io: ChatServer, { log, users }: ChatContext, sessions: EventEmitter<{ revoked: [Revocation] }>, revoke: (revoked: Revocation) => void
): () => void {
  const stopCommits = log.onCommitted(committed => {
    if (committed.isRemote !== true && isClustered(io)) io.serverSideEmit('committed', BSON.serialize(committed))
  })
  const stopUsers = users.subscribe(userId => { if (isClustered(io)) io.serverSideEmit('userChanged', userId) })
  const revokeEverywhere = (revoked: Revocation) => {
    revoke(revoked)
    if (isClustered(io)) io.serverSideEmit('revoked', revoked)
  }
  sessions.on('revoked', revokeEverywhere)

  io.on('committed', committed => { log.applyRemote(BSON.deserialize(committed) as CommittedBatch) })
  io.on('userChanged', userId => { users.invalidate(userId) })
  io.on('revoked', revoked => {
    // Or a new socket of theirs would be let in by what is remembered of them.
    users.invalidate(revoked.userId)
    revoke(revoked)
  })
  return () => {
    stopCommits()
    stopUsers()
    sessions.off('revoked', revokeEverywhere)
  }
}
