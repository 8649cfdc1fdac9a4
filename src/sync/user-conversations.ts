import { LRUCache } from 'lru-cache'
import { commonChatId } from '../chat/rules/conversation-id.ts'
import type { JoinInfo } from '../chat/rules/view.ts'
import { TidelogError } from '../errors.ts'
import type { DecodedCursor, CursorPosition } from '../log/read/cursor.ts'
import { indexNames } from '../log/model/collections.ts'
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

/** Caches every user's conversations until their self log says that they have changed. */
export class UserConversationDirectory {
  private readonly cache = new LRUCache<string, UserConversations>({ maxSize: placesMax, sizeCalculation: ({ list }) => list.length })
  private readonly log: ConversationLog

  constructor (log: ConversationLog) {
    this.log = log
  }

  /** @param selfHead the head of the user's self log, read before; undefined if it does not exist yet */
  async get ({ id, userId }: Pick<Identity, 'id' | 'userId'>, selfHead: Head | undefined): Promise<UserConversations> {
    const rev = selfHead?.memberRev ?? 0
    const before = this.cache.get(userId)
    if (before?.rev === rev) return before
    // Members that are read after the head are at least as new. The next rev of the self log tells of any difference.
    const members = rev === 0
      ? []
      : await this.log.collections.members
        .find({ userId: id }, { projection: { conversationId: 1, joinedSeq: 1, joinedRev: 1, joinedAt: 1, clearedSeq: 1, hiddenSeqs: 1 } })
        .sort({ conversationId: 1 }).hint(indexNames.byMember).toArray()
    const list: UserConversation[] = [
      { conversationId: selfLogId(userId), wireId: 'self', joined: undefined, last: undefined },
      { conversationId: commonChatId, wireId: commonChatId, joined: undefined, last: undefined },
      ...members.map(({ conversationId, joinedSeq, joinedRev, joinedAt, clearedSeq, hiddenSeqs }): UserConversation =>
        ({ conversationId, wireId: conversationId, joined: { joinedSeq, joinedRev, joinedAt, clearedSeq, hiddenSeqs }, last: undefined }))
    ]
    if (before !== undefined) for (const place of list) place.last = before.byWireId.get(place.wireId)?.last
    const places = { rev, list, byWireId: new Map(list.map(place => [place.wireId, place])), heads: undefined }
    this.cache.set(userId, places)
    return places
  }

  /** The user's cached conversations, possibly stale. */
  peek (userId: string): UserConversations | undefined {
    return this.cache.get(userId)
  }

  /** The cursor for a position. */
  cursorAt (userId: string, place: UserConversation, position: CursorPosition): string {
    const { last } = place
    if (last !== undefined && !last.position.isFromOtherEpoch && isAt(last.position, position)) return last.cursor
    const cursor = this.log.cursors.encode(userId, place.conversationId, position)
    place.last = { cursor, position: { ...position, isFromOtherEpoch: false } }
    return cursor
  }

  /** @throws TidelogError BAD_CURSOR */
  positionOf (userId: string, place: UserConversation, cursor: string): DecodedCursor {
    if (place.last?.cursor === cursor) return place.last.position
    const position = this.decodeCursor(userId, place.conversationId, cursor)
    place.last = { cursor, position }
    return position
  }

  /** @throws TidelogError BAD_CURSOR */
  decodeCursor (userId: string, conversationId: string, cursor: string): DecodedCursor {
    const position = this.log.cursors.decode(userId, conversationId, cursor)
    if (position === null) throw new TidelogError('BAD_CURSOR')
    return position
  }
}

function isAt (a: CursorPosition, b: CursorPosition): boolean {
  return a.rev === b.rev && a.clock === b.clock && a.generation === b.generation
}
