import type { EventEmitter } from 'node:events'
import { BSON } from 'mongodb'
import type { Revocation } from '../auth/identity.ts'
import type { ChatContext } from '../chat/context.ts'
import type { CommittedBatch } from '../log/commit/committer.ts'
import type { ChatServer } from '../connection/socket-types.ts'
import { isClustered } from '../connection/socket-io.ts'

/**
 * Sends the other nodes what they cannot see by themselves: commits, logouts, and changed users. Each node then
 * delivers to its own sockets, by their views and memberships. If the adapter connects no nodes, nothing is sent.
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
    // Otherwise that node's cache would accept a new socket of the user.
    users.invalidate(revoked.userId)
    revoke(revoked)
  })
  return () => {
    stopCommits()
    stopUsers()
    sessions.off('revoked', revokeEverywhere)
  }
}
