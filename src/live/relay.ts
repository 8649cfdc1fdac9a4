import type { EventEmitter } from 'node:events'
import type { Revocation } from '../auth/identity.ts'
import type { ChatContext } from '../chat/context.ts'
import type { CommittedBatch } from '../log/commit/committer.ts'
import { selfLogOwner } from '../log/model/types.ts'
import { type TypingNotice, userRoom } from '../connection/socket-types.ts'
import { presenceChannel } from '../nodes/channels.ts'
import { everyNode, type Nodes } from '../nodes/nodes.ts'
import type { PresenceWord } from '../nodes/roster.ts'
import { parseConversationId } from '../chat/rules/conversation-id.ts'
import type { UserChange } from '../users/user-directory.ts'

/** What nodes tell each other. */
export interface NodeWords {
  /** A commit, of one conversation. */
  committed: CommittedBatch
  revoked: Revocation
  userChanged: UserChange
  /** A user has blocked somebody, or ended a block. */
  blocksChanged: { userId: string }
  /** Something that is limited over all nodes has happened. */
  counted: { limiter: string, key: string, times: number }
  presence: PresenceWord
  typing: TypingNotice
  /** The same in a direct conversation, to its other user. */
  directTyping: Omit<TypingNotice, 'rev'> & { receiverId: string }
}

export type ChatNodes = Nodes<NodeWords>

/** Milliseconds for which a node hears of a conversation that it writes to: its cached head stays current. */
const writerMs = 30_000

/**
 * Tells the other nodes what they cannot see by themselves: commits, logouts, changed users and blocks. Each node then
 * delivers to its own sockets, by their views and memberships. A commit is one word for each of its conversations.
 */
export function startRelay (
  nodes: ChatNodes, { log, users, blocks }: ChatContext, sessions: EventEmitter<{ revoked: [Revocation] }>,
  revoke: (revoked: Revocation) => void
): () => void {
  const stopCommits = log.onCommitted(committed => {
    if (committed.isRemote === true || !nodes.isLinked) return
    for (const part of byConversation(committed)) {
      nodes.send('committed', channelsOf(part), part)
      const { _id: conversationId } = part.heads[0]!
      nodes.channels.wantFor(publicChannels(conversationId)[0]!, writerMs)
      const owner = selfLogOwner(conversationId)
      if (owner !== undefined && part.rows.some(({ row }) => row.kind === 'block')) {
        nodes.send('blocksChanged', [everyNode], { userId: owner })
      }
    }
  })
  const stopUsers = users.subscribe((change, isRemote) => {
    if (!isRemote) nodes.send('userChanged', [everyNode], change)
  })
  const revokeEverywhere = (revoked: Revocation) => {
    revoke(revoked)
    nodes.send('revoked', [everyNode], revoked)
  }
  sessions.on('revoked', revokeEverywhere)

  nodes.on('committed', committed => { log.applyRemote(committed) })
  nodes.on('userChanged', change => { users.applyRemote(change) })
  nodes.on('blocksChanged', ({ userId }) => { blocks.forget(userId) })
  nodes.on('revoked', revoked => {
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

/** A commit's parts, each with the head of one conversation. */
function byConversation (committed: CommittedBatch): CommittedBatch[] {
  if (committed.heads.length === 1) return [committed]
  return committed.heads.map(head => {
    const isOfHead = ({ conversationId }: { conversationId: string }) => conversationId === head._id
    return {
      heads: [head],
      rows: committed.rows.filter(({ row }) => isOfHead(row)),
      reads: committed.reads.filter(isOfHead),
      members: committed.members.filter(isOfHead),
      time: committed.time
    }
  }).filter(({ rows, reads }) => rows.length > 0 || reads.length > 0)
}

/** The channels of everybody whom a commit of one conversation concerns. */
function channelsOf ({ heads, rows, reads }: CommittedBatch): string[] {
  // A new member's node does not hear the conversation yet, and a reader's may not.
  const others = [
    ...rows.flatMap(({ row }) => row.kind === 'membership' && row.userId !== undefined ? [row.userId] : []),
    ...reads.map(({ userId }) => userId)
  ]
  const { _id: conversationId } = heads[0]!
  const owner = selfLogOwner(conversationId)
  // Who watches a user that leaves a conversation may no longer be allowed to.
  const isLeaving = owner !== undefined && rows.some(({ row }) => row.kind === 'membership' && row.role === null)
  return [...new Set([
    ...publicChannels(conversationId),
    ...others.map(userId => userRoom(userId.toHexString())),
    ...isLeaving ? [presenceChannel(owner)] : []
  ])]
}

/** The channels to which a conversation's changes go. */
function publicChannels (conversationId: string): string[] {
  const owner = selfLogOwner(conversationId)
  if (owner !== undefined) return [userRoom(owner)]
  const ref = parseConversationId(conversationId)
  return ref?.kind === 'direct' ? ref.userIds.map(userRoom) : [conversationId]
}
