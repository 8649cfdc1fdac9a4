import type { ObjectId } from 'mongodb'
import { TidelogError } from '../errors.ts'
import { type Rev, revOf } from '../log/model/types.ts'

/** A message's place in the order of the results: the newest first, by id among those of the same time. */
export interface Place {
  /** Milliseconds since 1970. */
  time: number
  /** In hex. */
  id: string
}

/** Where the scan of unindexed messages continues: in this conversation, after this rev. */
export interface ScanPlace {
  conversationId: string
  after: Rev
}

/** Where a search continues. */
export interface SearchCursor {
  /** Only messages behind this place are left; undefined: all. */
  place: Place | undefined
  /** Where the scan of unindexed messages continues; `done`: it has ended; undefined: it was not needed. */
  scan: ScanPlace | 'done' | undefined
}

/** Behind every message of this time. */
export const endOf = (time: number): Place => ({ time, id: '0'.repeat(24) })

export const placeOf = ({ createdAt, _id }: { createdAt: Date, _id: ObjectId }): Place =>
  ({ time: createdAt.getTime(), id: _id.toHexString() })

/** Negative: `a` comes first. */
export function comparePlaces (a: Place, b: Place): number {
  return b.time - a.time || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
}

export function writeCursor ({ place, scan }: SearchCursor): string {
  const from = place === undefined ? '' : `${place.time.toString(36)}-${place.id}`
  const rest = scan === undefined ? '' : scan === 'done' ? '~' : `~${scan.conversationId}~${scan.after}`
  return from + rest
}

/** @throws TidelogError BAD_CURSOR */
export function readCursor (text: string): SearchCursor {
  const match = /^(?:(-?[0-9a-z]{1,11})-([0-9a-f]{24}))?(~(?:([A-Za-z0-9_.:-]{1,80})~([0-9]{1,15}))?)?$/.exec(text)
  if (match === null || text === '') throw new TidelogError('BAD_CURSOR')
  const [, time, id, scan, conversationId, after] = match
  return {
    place: time === undefined ? undefined : { time: parseInt(time, 36), id: id! },
    scan: scan === undefined
      ? undefined
      : conversationId === undefined ? 'done' : { conversationId, after: revOf(Number(after)) }
  }
}
