import { createHmac, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { type Rev, revOf } from '../model/types.ts'
import type { Head } from '../model/types.ts'

/** An opaque string that stands for "everything of this conversation up to here", for one user, in one life of the database. */
export type Cursor = string & { readonly position: 'cursor' }

/** What a cursor stands for. */
export interface CursorPosition {
  rev: Rev
  /** Read positions that moved up to here are known: the head's clock, in milliseconds since 1970. */
  clock: number
  /** Of the view of the conversation that its user had (src/chat/rules/view.ts), below 2^52. */
  generation: number
}

/** A decoded cursor; `stale` means that it is from another epoch (a restored database) and needs a reset. */
export type DecodedCursor = CursorPosition & { isFromOtherEpoch: boolean }

const version = 1
const bodyBytes = 24 // version 1, epoch 4, rev 6, clock 6, generation 7
const macBytes = 9
const characters = (bodyBytes + macBytes) / 3 * 4

/** Users and conversations whose last cursor is remembered. */
const rememberedMax = 50_000

/**
 * Encodes and checks cursors. They are signed and bound to user and conversation, so that a client cannot make one up
 * or use another's: 33 bytes, 44 characters. The same position is always the same string.
 */
export class CursorCodec {
  /** A random 32-bit number of this database, changed after a restore. */
  readonly epoch: number
  private readonly key: Buffer
  /** By user and conversation. A client that polls sends what it was given last, and is given it again: no signature. */
  private readonly last = new LRUCache<string, { cursor: Cursor, position: DecodedCursor }>({ max: rememberedMax })

  constructor (key: Buffer, epoch: number) {
    this.key = key
    this.epoch = epoch
  }

  encode (userId: string, conversationId: string, { rev, clock, generation }: CursorPosition): Cursor {
    const last = this.last.get(`${userId}${conversationId}`)
    const { position } = last ?? {}
    if (position?.rev === rev && position.clock === clock && position.generation === generation && !position.isFromOtherEpoch) return last!.cursor
    const cursor = this.sign(userId, conversationId, { rev, clock, generation })
    this.last.set(`${userId}${conversationId}`, { cursor, position: { rev, clock, generation, isFromOtherEpoch: false } })
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

  /** Null: malformed, forged, or of another user or conversation. */
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
    if (bytes.length !== bodyBytes + macBytes || bytes[0] !== version || bytes.toString('base64url') !== cursor) return null
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
 * Can a reader go on behind this cursor? Not behind one of another life of the database, nor behind one that is ahead of the
 * head: it would stand for changes that are no more, and hide those that take their revs. Whoever holds such a cursor
 * begins anew. A purge is no reason: what it took away, its own change tells everybody who has not seen it yet.
 * @param head undefined where there is no such conversation
 */
export function canResume ({ rev, isFromOtherEpoch }: Pick<DecodedCursor, 'rev' | 'isFromOtherEpoch'>, head: Head | undefined): boolean {
  return !isFromOtherEpoch && rev <= (head?.headRev ?? 0)
}
