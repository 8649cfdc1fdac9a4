import { generationOf } from '../chat/rules/view.ts'
import type { SyncContext } from './context.ts'
import { type UserHeads, readUserHeads } from './due.ts'
import type { Identity } from '../users/identity.ts'

/** Where all of a user's conversations stand. */
export interface HeadsResponse {
  /** Another one whenever one of them moved, or the list of them changed; the same on every node. */
  etag: string
  /** The body, as JSON text; made when it is asked for. */
  body: () => string
}

/** The cheapest question of all: whether anything happened, for thousands of conversations at once. */
export async function readHeadsResponse (context: SyncContext, identity: Identity): Promise<HeadsResponse> {
  // Counted before the heads are read: a move in between is seen the next time.
  const { commitCount } = context.chat.log
  const found = await readUserHeads(context, identity)
  const etag = etagOf(context, found)
  if (commitCount !== undefined) found.places.heads = { moves: commitCount, etag }
  return { etag, body: () => write(context, identity, found) }
}

/** The ETag as it was told last, without a look at the heads, if none has moved since; else undefined. */
export function cachedEtag ({ chat: { log }, conversations }: SyncContext, { userId }: Identity): string | undefined {
  const heads = conversations.peek(userId)?.heads
  return heads !== undefined && heads.moves === log.commitCount ? heads.etag : undefined
}

/** Does an If-None-Match name this ETag? */
export function matchesEtag (ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch !== undefined && (ifNoneMatch === etag || ifNoneMatch.split(',').some(one => ['*', etag, `W/${etag}`].includes(one.trim())))
}

function etagOf ({ chat: { log } }: SyncContext, { places, selfHead, heads }: UserHeads): string {
  let [a, b] = [log.cursors.epoch, 0x9e3779b1]
  places.list.forEach((place, index) => {
    const head = heads[index]
    if (head === undefined) return
    const clock = head.clock.getTime()
    for (const value of [index, head.headRev, clock >>> 0, Math.floor(clock / 2 ** 32), generationOf(head, place.joined, selfHead)]) {
      a = Math.imul(a ^ value, 0x85ebca6b)
      a ^= a >>> 13
      b = Math.imul(b ^ value, 0xc2b2ae35)
      b ^= b >>> 16
    }
  })
  return `"${(a >>> 0).toString(36)}-${(b >>> 0).toString(36)}"`
}

function write (context: SyncContext, { userId }: Identity, { places, selfHead, heads }: UserHeads): string {
  let text = ''
  places.list.forEach((place, index) => {
    const head = heads[index]
    if (head === undefined || head.deleted === true) return
    const cursor = context.conversations.cursorAt(userId, place, { rev: head.headRev, clock: head.clock.getTime(), generation: generationOf(head, place.joined, selfHead) })
    text += `${text === '' ? '' : ','}"${place.wireId}":"${cursor}"`
  })
  return `{"success":true,"heads":{${text}}}`
}
