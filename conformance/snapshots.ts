import { setTimeout as delay } from 'node:timers/promises'
import type { Count, Message, Snapshot } from './history.ts'
import { type Person, directId } from './people.ts'
import { type Answer, isTransient } from './rest.ts'
import type { Stage } from './stage.ts'

const pageMax = 500

/** Fetches every conversation as a client without cursors: direct ones by sync and by history, rooms by history. */
export async function snapshot (stage: Stage, name: string): Promise<void> {
  const { history, members, roomId, baselines } = stage
  for (const [index, person] of members.entries()) {
    for (const other of members.slice(index + 1)) {
      history.snapshots.push(await bySync(stage, name, other, person))
      history.snapshots.push(await byHistory(stage, `${name}, by history`, person, directId(person.id, other.id), `/api/messages/${other.id}`, 0))
    }
  }
  history.snapshots.push(await byHistory(stage, name, members[0]!, `room_${roomId}`, `/api/rooms/${roomId}/messages`, 0))
  const baseline = baselines.get('common_chat')
  if (baseline !== undefined) history.snapshots.push(await byHistory(stage, name, members[0]!, 'common_chat', '/api/common-chat/messages', baseline))
}

async function bySync (stage: Stage, name: string, me: Person, other: Person): Promise<Snapshot> {
  const startedAt = Date.now()
  const messages = new Map<string, Message>()
  for (let cursor: string | undefined; ;) {
    const { body } = await get(stage, 'POST', '/api/messages/sync-conversation', me.token, { otherUserId: other.id, limit: pageMax, includeDeleted: true, ...(cursor === undefined ? {} : { cursor }) })
    for (const message of body.messages as Message[]) {
      const held = messages.get(message._id)
      // A message that changes during the fetch comes again, with a higher rev.
      if (held === undefined || held.rev < message.rev) messages.set(message._id, message)
    }
    cursor = body.cursor as string
    if (body.hasMore !== true) break
  }
  return { name, conversationId: directId(me.id, other.id), userId: me.id, startedAt, afterSeq: 0, messages: [...messages.values()] }
}

/** Everything above a seq, newest first. */
async function byHistory (stage: Stage, name: string, me: Person, conversationId: string, path: string, afterSeq: number): Promise<Snapshot> {
  const startedAt = Date.now()
  const messages: Message[] = []
  for (let before: number | undefined; ;) {
    const { body } = await get(stage, 'GET', `${path}?limit=${pageMax}${before === undefined ? '' : `&before=${before}`}`, me.token)
    const page = body.messages as Message[]
    messages.push(...page)
    before = Math.min(...page.map(({ seq }) => seq))
    if (body.hasMore !== true || page.length === 0 || before <= afterSeq + 1) break
  }
  return { name, conversationId, userId: me.id, startedAt, afterSeq, messages: messages.filter(({ seq }) => seq > afterSeq) }
}

/** Reads every user's unread counts and read positions. */
export async function countUnread (stage: Stage): Promise<void> {
  if (stage.history.absent.has('sync')) return
  for (const { id: userId, token } of stage.members) {
    const startedAt = Date.now()
    const cursors: Record<string, string> = {}
    const told = new Map<string, Count>()
    for (let hasMore = true; hasMore;) {
      const { body } = await get(stage, 'POST', '/api/sync', token, { cursors })
      hasMore = body.hasMore === true
      for (const { conversationId, cursor, unreadCount, reads } of body.conversations as Conversation[]) {
        cursors[conversationId] = cursor
        // Later pages contain only the positions that moved.
        const readSeq = reads.find(read => read.userId === userId)?.seq ?? told.get(conversationId)?.readSeq ?? 0
        told.set(conversationId, { userId, conversationId, readSeq, unreadCount, startedAt })
      }
    }
    stage.history.counts.push(...[...told.values()].filter(({ conversationId }) => stage.history.members.get(conversationId)?.has(userId) === true))
  }
}

interface Conversation {
  conversationId: string
  cursor: string
  unreadCount: number
  reads: Array<{ userId: string, seq: number }>
}

async function get (stage: Stage, method: string, path: string, token: string, body?: unknown): Promise<Answer> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const answer = await stage.random.pick(stage.nodes).call(method, path, token, body)
    if (answer?.status === 200) return answer
    // A conversation that was never opened is empty.
    if (answer?.status === 404) return { ...answer, body: { messages: [], hasMore: false } }
    if (!isTransient(answer)) throw new Error(`${method} ${path} was answered ${answer!.status} ${answer!.code}`)
    await delay(200)
  }
  throw new Error(`${method} ${path} was not answered in a minute`)
}
