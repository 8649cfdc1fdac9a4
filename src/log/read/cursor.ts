import { createHmac, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { upTo } from '../../lib/up-to.ts'
import { type Head, type Rev, revOf } from '../model/types.ts'

/** An opaque string: "everything of this conversation up to this rev", for one user, in one epoch of the database. */
export type Cursor = string & { readonly position: 'cursor' }

/** What a cursor stands for. */
export interface CursorPosition {
  rev: Rev
  /** The client has the read positions up to this time: the head's clock, in milliseconds since 1970. */
  clock: number
  /** Generation of the user's view of the conversation (src/chat/rules/view.ts), below 2^52. */
  generation: number
}

/** A cursor from another epoch (before a restore) needs a reset. */
export type DecodedCursor = CursorPosition & { isFromOtherEpoch: boolean }

const version = 1
const bodyBytes = 24 // version 1, epoch 4, rev 6, clock 6, generation 7
const macBytes = 9
const characters = (bodyBytes + macBytes) / 3 * 4

/**
 * Encodes and checks cursors. They are signed for one user and conversation, so that a client can neither make one up
 * nor use another user's. 33 bytes, 44 characters; the same position always gives the same string.
 */
export class CursorCodec {
  /** A random 32-bit number of this database, replaced after a restore. */
  readonly epoch: number
  private readonly key: Buffer
  /**
   * By user and conversation. A client that polls sends its last cursor and often gets it back: no signature needed.
   */
  private readonly last: LRUCache<string, { cursor: Cursor, position: DecodedCursor }>

  /** @param cachedMax pairs of user and conversation whose last cursor is cached */
  constructor (key: Buffer, epoch: number, cachedMax = 50_000) {
    this.last = new LRUCache(upTo(cachedMax))
    this.key = key
    this.epoch = epoch
  }

  encode (userId: string, conversationId: string, { rev, clock, generation }: CursorPosition): Cursor {
    const last = this.last.get(`${userId}${conversationId}`)
    const { position } = last ?? {}
    const isSame = position?.rev === rev && position.clock === clock && position.generation === generation
    if (isSame && !position.isFromOtherEpoch) return last!.cursor
    const cursor = this.sign(userId, conversationId, { rev, clock, generation })
    const encoded = { rev, clock, generation, isFromOtherEpoch: false }
    this.last.set(`${userId}${conversationId}`, { cursor, position: encoded })
    return cursor
  }

  private sign (userId: string, conversationId: string, { rev, clock, generation }: CursorPosition): Cursor {
    const bytes = Buffer.allocUnsafe(bodyBytes + macBytes)
    bytes[0] = version
    bytes.writeUInt32BE(this.epoch, 1)
    bytes.writeUIntBE(rev, 5, 6)
    bytes.writeUIntBE(clock, 11, 6)
    bytes.writeUIntBE(Math.floor(generation / 2 ** 32), 17, 3)
    bytes.writeUInt32BE(generation % 2 ** 32, 20)
    this.mac(userId, conversationId, bytes.subarray(0, bodyBytes)).copy(bytes, bodyBytes, 0, macBytes)
    return bytes.toString('base64url') as Cursor
  }

  /** Null: the cursor is malformed, forged, or another user's or conversation's. */
  decode (userId: string, conversationId: string, cursor: string): DecodedCursor | null {
    const last = this.last.get(`${userId}${conversationId}`)
    if (last?.cursor === cursor) return last.position
    const position = this.verify(userId, conversationId, cursor)
    if (position !== null) this.last.set(`${userId}${conversationId}`, { cursor: cursor as Cursor, position })
    return position
  }

  private verify (userId: string, conversationId: string, cursor: string): DecodedCursor | null {
    if (cursor.length !== characters) return null
    const bytes = Buffer.from(cursor, 'base64url')
    if (bytes.length !== bodyBytes + macBytes || bytes[0] !== version) return null
    if (bytes.toString('base64url') !== cursor) return null
    const expected = this.mac(userId, conversationId, bytes.subarray(0, bodyBytes)).subarray(0, macBytes)
    if (!timingSafeEqual(expected, bytes.subarray(bodyBytes))) return null
    return {
      rev: revOf(bytes.readUIntBE(5, 6)),
      clock: bytes.readUIntBE(11, 6),
      generation: bytes.readUIntBE(17, 3) * 2 ** 32 + bytes.readUInt32BE(20),
      isFromOtherEpoch: bytes.readUInt32BE(1) !== this.epoch
    }
  }

  private mac (userId: string, conversationId: string, body: Buffer): Buffer {
    return createHmac('sha256', this.key).update(body).update(`${userId}\n${conversationId}`).digest()
  }
}

/**
 * Can a client continue after this cursor? Otherwise it needs a reset. A cursor of another epoch, or ahead of the head,
 * stands for changes that do not exist any more, and would hide the changes that now get their revs. A purge needs no
 * reset: its own row tells every client what was purged.
 * @param head undefined: there is no such conversation
 */
export function canResume (
  { rev, isFromOtherEpoch }: Pick<DecodedCursor, 'rev' | 'isFromOtherEpoch'>, head: Head | undefined
): boolean {
  return !isFromOtherEpoch && rev <= (head?.headRev ?? 0)
}
