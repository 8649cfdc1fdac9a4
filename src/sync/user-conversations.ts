import { LRUCache } from 'lru-cache'
import type { MembershipDirectory, OwnMember } from '../chat/directories/membership-directory.ts'
import { commonChatId } from '../chat/rules/conversation-id.ts'
import type { JoinInfo } from '../chat/rules/view.ts'
import { TidelogError } from '../errors.ts'
import type { DecodedCursor, CursorPosition } from '../log/read/cursor.ts'
import type { ConversationLog } from '../log/conversation-log.ts'
import { type Head, selfLogId } from '../log/model/types.ts'
import type { Identity } from '../users/identity.ts'

/** A conversation from the view of one of its readers. */
export interface UserConversation {
  /** The id in the log. */
  conversationId: string
  /** The id that clients see. */
  wireId: string
  /** Undefined in the common chat and the self log. */
  joined: JoinInfo | undefined
  /** The last cursor that was made or checked here, cached because a cursor needs a signature. */
  last: { cursor: string, position: DecodedCursor } | undefined
}

/** All conversations of a user, the self log first. */
export interface UserConversations {
  /** The self log's `memberRev` at the time of the read, or an earlier one. */
  rev: number
  list: UserConversation[]
  byWireId: Map<string, UserConversation>
  /** The last ETag, valid as long as no head has moved. */
  heads: { moves: number, etag: string } | undefined
}

/** Conversations that are cached, over all users. */
const placesMax = 400_000

/**
 * Caches every user's conversations until their self log says that their memberships have changed. Changes of other
 * kinds, as of a read position, keep the list.
 */
export class UserConversationDirectory {
  private readonly cache = new LRUCache<string, UserConversations>({
    maxSize: placesMax, sizeCalculation: ({ list }) => list.length
  })

  private readonly log: ConversationLog
  private readonly memberships: MembershipDirectory

  constructor (log: ConversationLog, memberships: MembershipDirectory) {
    this.log = log
    this.memberships = memberships
  }

  /** @param selfHead the head of the user's self log, read before; undefined if it does not exist yet */
  async get (identity: Pick<Identity, 'id' | 'userId'>, selfHead: Head | undefined): Promise<UserConversations> {
    const { userId } = identity
    const rev = selfHead?.memberRev ?? 0
    const before = this.cache.get(userId)
    if (before?.rev === rev) return before
    // These may be newer than the head. The next rev of the self log tells of any difference.
    const { byConversation } = await this.memberships.of(identity, selfHead)
    const list = [
      conversationOf(selfLogId(userId), undefined, 'self'), conversationOf(commonChatId),
      ...[...byConversation.values()].sort(byId).map(member => conversationOf(member.conversationId, member))
    ]
    if (before !== undefined) for (const one of list) one.last = before.byWireId.get(one.wireId)?.last
    const own = { rev, list, byWireId: new Map(list.map(one => [one.wireId, one])), heads: undefined }
    this.cache.set(userId, own)
    return own
  }

  /** The user's cached conversations, possibly stale. */
  peek (userId: string): UserConversations | undefined {
    return this.cache.get(userId)
  }

  /** The cursor for a position. */
  cursorAt (userId: string, conversation: UserConversation, position: CursorPosition): string {
    const { last } = conversation
    if (last !== undefined && !last.position.isFromOtherEpoch && isAt(last.position, position)) return last.cursor
    const cursor = this.log.cursors.encode(userId, conversation.conversationId, position)
    conversation.last = { cursor, position: { ...position, isFromOtherEpoch: false } }
    return cursor
  }

  /** @throws TidelogError BAD_CURSOR */
  positionOf (userId: string, conversation: UserConversation, cursor: string): DecodedCursor {
    if (conversation.last?.cursor === cursor) return conversation.last.position
    const position = this.decodeCursor(userId, conversation.conversationId, cursor)
    conversation.last = { cursor, position }
    return position
  }

  /** @throws TidelogError BAD_CURSOR */
  decodeCursor (userId: string, conversationId: string, cursor: string): DecodedCursor {
    const position = this.log.cursors.decode(userId, conversationId, cursor)
    if (position === null) throw new TidelogError('BAD_CURSOR')
    return position
  }
}

function conversationOf (conversationId: string, joined?: JoinInfo, wireId = conversationId): UserConversation {
  return { conversationId, wireId, joined, last: undefined }
}

/** The same order on every node, so that all give the same ETag. */
function byId (a: OwnMember, b: OwnMember): number {
  return a.conversationId < b.conversationId ? -1 : 1
}

function isAt (a: CursorPosition, b: CursorPosition): boolean {
  return a.rev === b.rev && a.clock === b.clock && a.generation === b.generation
}
