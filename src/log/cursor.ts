import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Rev, revOf } from './types.ts'

/** An opaque string that stands for "everything of this conversation up to a rev", for one user, in one life of the database. */
export type Cursor = string & { readonly position: 'cursor' }

/** What a decoded cursor says; `stale` means that it is from another epoch (a restored database) and needs a reset. */
export type DecodedCursor = { rev: Rev, stale: boolean } | null

const version = 1
const bodyBytes = 11 // version 1, epoch 4, rev 6
const macBytes = 9

/**
 * Encodes and checks cursors. They are signed and bound to user and conversation, so that a client cannot make one up
 * or use another's: 20 bytes, 27 characters.
 */
export class CursorCodec {
  private readonly key: Buffer
  private readonly epoch: number

  /** @param epoch a random 32-bit number of this database, changed after a restore. */
  constructor (key: Buffer, epoch: number) {
    this.key = key
    this.epoch = epoch
  }

  encode (userId: string, conversationId: string, rev: Rev): Cursor {
    const bytes = Buffer.allocUnsafe(bodyBytes + macBytes)
    bytes[0] = version
    bytes.writeUInt32BE(this.epoch, 1)
    bytes.writeUIntBE(rev, 5, 6)
    this.mac(userId, conversationId, bytes.subarray(0, bodyBytes)).copy(bytes, bodyBytes, 0, macBytes)
    return bytes.toString('base64url') as Cursor
  }

  /** Null: malformed, forged, or of another user or conversation. */
  decode (userId: string, conversationId: string, cursor: string): DecodedCursor {
    const bytes = Buffer.from(cursor, 'base64url')
    if (bytes.length !== bodyBytes + macBytes || bytes[0] !== version || bytes.toString('base64url') !== cursor) return null
    const expected = this.mac(userId, conversationId, bytes.subarray(0, bodyBytes)).subarray(0, macBytes)
    if (!timingSafeEqual(expected, bytes.subarray(bodyBytes))) return null
    return { rev: revOf(bytes.readUIntBE(5, 6)), stale: bytes.readUInt32BE(1) !== this.epoch }
  }

  private mac (userId: string, conversationId: string, body: Buffer): Buffer {
    return createHmac('sha256', this.key).update(body).update(`${userId}\n${conversationId}`).digest()
  }
}
