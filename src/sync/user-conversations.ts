import { LRUCache } from 'lru-cache'
import { commonChatId } from '../chat/rules/conversation-id.ts'
import type { JoinInfo } from '../chat/rules/view.ts'
import { TidelogError } from '../errors.ts'
import type { DecodedCursor, CursorPosition } from '../log/read/cursor.ts'
import { indexNames } from '../log/model/collections.ts'
import type { ConversationLog } from '../log/conversation-log.ts'
import { type Head, selfLogId } from '../log/model/types.ts'
import type { Identity } from '../users/identity.ts'

/** A conversation as one of its readers has it. */
export interface UserConversation {
  /** In the log. */
  conversationId: string
  /** To the client. */
  wireId: string
  /** None in the common chat and the own log. */
  joined: JoinInfo | undefined
  /** The last cursor that was given out or checked here: the same again costs no signature. */
  last: { cursor: string, position: DecodedCursor } | undefined
}

/** All conversations of a user, the own log first. */
export interface UserConversations {
  /** The own log's `memberRev` when they were read, or an earlier one. */
  rev: number
  list: UserConversation[]
  byWireId: Map<string, UserConversation>
  /** The answer to a look at the heads, as long as no head has moved. */
  heads: { moves: number, etag: string } | undefined
}

/** Places of all users together that are kept. */
const placesMax = 400_000

/** Every user's conversations, good as long as their own log says so. */
export class UserConversationDirectory {
  private readonly cache = new LRUCache<string, UserConversations>({ maxSize: placesMax, sizeCalculation: ({ list }) => list.length })
  private readonly log: ConversationLog

  constructor (log: ConversationLog) {
    this.log = log
  }

  /** @param selfHead the head of the user's own log, read before; undefined while there is none */
  async get ({ id, userId }: Identity, selfHead: Head | undefined): Promise<UserConversations> {
    const rev = selfHead?.memberRev ?? 0
    const before = this.cache.get(userId)
    if (before?.rev === rev) return before
    // A member that is read after the head is at least as new; one more or one less than it says is told by its next rev.
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

  /** The places of a user as they were last time, without a look. */
  peek (userId: string): UserConversations | undefined {
    return this.cache.get(userId)
  }

  /** The cursor that stands for a position. */
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
