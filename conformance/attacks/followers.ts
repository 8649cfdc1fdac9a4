import { setTimeout as delay } from 'node:timers/promises'
import type { Follower, Message } from '../history.ts'
import { type Person, directId } from '../people.ts'
import type { Random } from '../random.ts'
import { type Answer, isTransient } from '../rest.ts'
import type { Stage } from '../stage.ts'

/** Mostly tiny pages, because changes get lost at the ends of pages. */
export function pageSize (random: Random, behind: number): number {
  return behind > 20 ? random.pick([50, 200, 500]) : random.pick([1, 1, 2, 3, 5, 7, 20])
}

/** Follows a direct conversation by `sync-conversation`: by time, by time with tombstones, or by cursor. */
export async function follow (stage: Stage, me: Person, other: Person, knows: 'time' | 'tombstones' | 'cursor'): Promise<void> {
  const random = stage.random.fork()
  const follower: Follower = {
    name: `a client of ${me.name} that knows only ${knows === 'cursor' ? 'its cursor' : knows === 'time' ? 'the time' : 'the time, with tombstones'}`,
    userId: me.id,
    conversationId: directId(me.id, other.id),
    knows,
    finished: false,
    afterSeq: 0,
    held: new Map(),
    pages: [],
    problems: []
  }
  stage.history.followers.push(follower)
  let feed: Record<string, string> = {}
  let behind = 0
  for (;;) {
    // A call that begins after all writing has ended is the last one.
    const quiet = stage.settled.aborted
    const limit = pageSize(random, behind)
    const answer = await stage.random.pick(stage.nodes).call('POST', '/api/messages/sync-conversation', me.token, {
      otherUserId: other.id, limit, ...feed, ...(knows === 'tombstones' ? { includeDeleted: true } : {})
    })
    if (isTransient(answer)) {
      await delay(200)
      continue
    }
    if (answer!.status !== 200) {
      stage.history.faults.push({ at: Date.now(), what: `${follower.name} was answered ${answer!.status} ${answer!.code} to what it had been told to send` })
      return
    }
    const next: Record<string, string> = knows === 'cursor' ? { cursor: answer!.body.cursor } : { lastSyncTimestamp: answer!.body.syncTimestamp }
    take(stage, follower, answer!, limit, JSON.stringify(next) === JSON.stringify(feed))
    feed = next
    behind = answer!.body.hasMore === true ? behind + 1 : 0
    if (answer!.body.hasMore === true) continue
    if (quiet) {
      follower.finished = true
      return
    }
    await delay(random.integer(5, 60))
  }
}

function take ({ history }: Stage, follower: Follower, { body }: Answer, limit: number, sameCursor: boolean): void {
  const messages = body.messages as Message[]
  if (body.reset === true) follower.held.clear()
  for (const message of messages) {
    const held = follower.held.get(message._id)
    if (held === undefined || held.rev <= message.rev) follower.held.set(message._id, message)
    history.see('in a sync answer', message, Date.now())
  }
  follower.pages.push({
    limit,
    revs: messages.map(({ rev }) => rev),
    createdAt: messages.map(({ createdAt = '' }) => createdAt),
    hasMore: body.hasMore === true,
    reset: body.reset === true,
    sameCursor
  })
}
