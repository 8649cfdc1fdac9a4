import type { EventEmitter } from 'node:events'
import { BSON } from 'mongodb'
import { Adapter } from 'socket.io-adapter'
import type { Revocation } from '../auth/identity.ts'
import type { ChatContext } from '../chat/context.ts'
import type { CommittedBatch } from '../log/commit/committer.ts'
import type { ChatServer } from './types.ts'

/**
 * Tells the other nodes what they cannot see by themselves: what was committed here, who was logged out, which user has
 * changed. Each of them then delivers to its own sockets, whose views and memberships it knows. Where the adapter joins
 * no nodes, nobody is told.
 */
export function startRelay (
  io: ChatServer, { log, users }: ChatContext, sessions: EventEmitter<{ revoked: [Revocation] }>, revoke: (revoked: Revocation) => void
): () => void {
  const stopCommits = log.onCommitted(committed => {
    if (committed.isRemote !== true && joinsNodes(io)) io.serverSideEmit('committed', BSON.serialize(committed))
  })
  const stopUsers = users.subscribe(userId => { if (joinsNodes(io)) io.serverSideEmit('userChanged', userId) })
  const tell = (revoked: Revocation) => {
    revoke(revoked)
    if (joinsNodes(io)) io.serverSideEmit('revoked', revoked)
  }
  sessions.on('revoked', tell)

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
    sessions.off('revoked', tell)
  }
}

/** The adapter in memory, which Socket.IO has by default, knows of no other nodes. */
export function joinsNodes (io: ChatServer): boolean {
  return io.of('/').adapter.serverSideEmit !== Adapter.prototype.serverSideEmit
}
