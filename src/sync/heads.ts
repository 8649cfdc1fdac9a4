import { generationOf } from '../chat/rules/view.ts'
import type { SyncContext } from './context.ts'
import { type UserHeads, readUserHeads } from './due.ts'
import type { Identity } from '../users/identity.ts'

/** The response of `GET /api/sync/heads`: the cursors of all of a user's conversations. */
export interface HeadsResponse {
  /** Changes when a head or the list of conversations changes. The same on every node. */
  etag: string
  /** Makes the body, as JSON text. */
  body: () => string
}

/** The cheapest poll: has anything changed in any of the caller's conversations? */
export async function readHeadsResponse (context: SyncContext, identity: Identity): Promise<HeadsResponse> {
  // Read before the heads: a commit in between makes the next call read them again.
  const { commitCount } = context.chat.log
  const found = await readUserHeads(context, identity)
  const etag = etagOf(context, found)
  if (commitCount !== undefined) found.own.heads = { moves: commitCount, etag }
  return { etag, body: () => write(context, identity, found) }
}

/** The last ETag, without reading the heads, if no head has moved since; otherwise undefined. */
export function cachedEtag ({ chat: { log }, conversations }: SyncContext, { userId }: Identity): string | undefined {
  const heads = conversations.peek(userId)?.heads
  return heads !== undefined && heads.moves === log.commitCount ? heads.etag : undefined
}

/** Does an If-None-Match name this ETag? */
export function matchesEtag (ifNoneMatch: string | undefined, etag: string): boolean {
  return (
    ifNoneMatch !== undefined &&
    (ifNoneMatch === etag || ifNoneMatch.split(',').some(one => ['*', etag, `W/${etag}`].includes(one.trim())))
  )
}

function etagOf ({ chat: { log } }: SyncContext, { own, selfHead, heads }: UserHeads): string {
  let [a, b] = [log.cursors.epoch, 0x9e3779b1]
  own.list.forEach((conversation, index) => {
    const head = heads[index]
    if (head === undefined) return
    const clock = head.clock.getTime()
    for (const value of [
      index, head.headRev, clock >>> 0, Math.floor(clock / 2 ** 32), generationOf(head, conversation.joined, selfHead)
    ]) {
      a = Math.imul(a ^ value, 0x85ebca6b)
      a ^= a >>> 13
      b = Math.imul(b ^ value, 0xc2b2ae35)
      b ^= b >>> 16
    }
  })
  return `"${(a >>> 0).toString(36)}-${(b >>> 0).toString(36)}"`
}

function write (context: SyncContext, { userId }: Identity, { own, selfHead, heads }: UserHeads): string {
  let text = ''
  own.list.forEach((conversation, index) => {
    const head = heads[index]
    if (head === undefined || head.deleted === true) return
    const cursor = context.conversations.cursorAt(userId, conversation, {
      rev: head.headRev, clock: head.clock.getTime(), generation: generationOf(head, conversation.joined, selfHead)
    })
    text += `${text === '' ? '' : ','}"${conversation.wireId}":"${cursor}"`
  })
  return `{"success":true,"heads":{${text}}}`
}
