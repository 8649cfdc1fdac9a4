import { type Request, ask, get, post } from './http-load.ts'
import { type Person, directId } from './people.ts'

/** One user's side of a conversation, as a polling client sees it. */
export interface View {
  self: Person
  other: Person
}

interface ConversationAnswer { count: number, cursor: string, syncTimestamp: string, hasMore: boolean, messages: unknown[] }
interface SyncAnswer { conversations: Array<{ conversationId: string, cursor: string, changes: unknown[] }>, hasMore: boolean }

const path = '/api/messages/sync-conversation'

/** Polls by cursor of unchanged conversations. Each was checked once. */
export async function nothingNewByCursor (url: string, views: readonly View[], since: Date): Promise<Request[]> {
  return await Promise.all(views.map(async ({ self, other }) => {
    const { cursor } = await upToDate(url, { self, other }, since)
    const request = post(self.token, path, { otherUserId: other.id, cursor })
    await expectCount(url, request, 0)
    return request
  }))
}

/** Polls by time of unchanged conversations, as legacy clients send them. */
export async function nothingNewByTime (url: string, views: readonly View[], since: Date): Promise<Request[]> {
  return await Promise.all(views.map(async ({ self, other }) => {
    const { syncTimestamp } = await upToDate(url, { self, other }, since)
    const request = post(self.token, path, { otherUserId: other.id, lastSyncTimestamp: syncTimestamp })
    await expectCount(url, request, 0)
    return request
  }))
}

/** A side of a conversation, and the time after which a page of 100 messages is requested. */
export interface Place extends View {
  after: Date
}

/** Requests for pages by time. Each returned 100 messages once. */
export async function pagesByTime (url: string, places: readonly Place[]): Promise<Request[]> {
  const requests = places.map(({ self, other, after }) =>
    post(self.token, path, { otherUserId: other.id, lastSyncTimestamp: after.toISOString(), limit: 100 }))
  for (const request of requests) await expectCount(url, request, 100)
  return requests
}

/** Requests for the same pages by cursor. */
export async function pagesByCursor (url: string, places: readonly Place[]): Promise<Request[]> {
  const requests: Request[] = []
  for (const { self, other, after } of places) {
    // A page of one message gives the cursor. 100 messages must follow it.
    const before = post(self.token, path, { otherUserId: other.id, lastSyncTimestamp: new Date(after.getTime() - 1_000).toISOString(), limit: 1 })
    const { cursor } = await ask<ConversationAnswer>(url, before)
    const request = post(self.token, path, { otherUserId: other.id, cursor, limit: 100 })
    await expectCount(url, request, 100)
    requests.push(request)
  }
  return requests
}

/** `POST /api/sync` with the cursors of all of a user's conversations, which have not changed. */
export async function nothingNewOfAll (url: string, persons: readonly Person[]): Promise<Request[]> {
  return await Promise.all(persons.map(async ({ token }) => {
    const cursors: Record<string, string> = {}
    for (let more = true; more;) {
      const answer = await ask<SyncAnswer>(url, post(token, '/api/sync', { cursors }))
      for (const { conversationId, cursor } of answer.conversations) cursors[conversationId] = cursor
      more = answer.hasMore
    }
    const request = post(token, '/api/sync', { cursors })
    const { conversations } = await ask<SyncAnswer>(url, request)
    if (conversations.length > 0) throw new Error(`/api/sync brought ${conversations.length} conversations where nothing has changed`)
    return request
  }))
}

/** The requests of a client that has the first message of a conversation and fetches all the others. */
export async function catchingUp (url: string, { self, other }: View, messages: number): Promise<Request[]> {
  const id = directId(self, other)
  const everything = await nothingNewOfAll(url, [self])
  const { cursors } = JSON.parse(String(everything[0]!.body)) as { cursors: Record<string, string> }
  const first = await ask<ConversationAnswer>(url, post(self.token, path, { otherUserId: other.id, lastSyncTimestamp: new Date(0).toISOString(), limit: 1 }))
  const requests: Request[] = []
  let cursor = first.cursor
  let missing = messages - 1
  for (let more = true; more;) {
    const request = post(self.token, '/api/sync', { cursors: { ...cursors, [id]: cursor } })
    const { conversations: [found], hasMore } = await ask<SyncAnswer>(url, request)
    requests.push(request)
    missing -= found!.changes.length
    cursor = found!.cursor
    more = hasMore
  }
  if (missing !== 0) throw new Error(`${missing} messages were not brought`)
  return requests
}

/** `GET /api/sync/heads` with the ETag of the last response, which answers 304. */
export async function headsUnchanged (url: string, persons: readonly Person[]): Promise<Request[]> {
  return await Promise.all(persons.map(async ({ token }) => {
    const response = await fetch(`${url}/api/sync/heads`, { headers: { authorization: `Bearer ${token}` } })
    const etag = response.headers.get('etag')
    if (!response.ok || etag === null) throw new Error(`/api/sync/heads answered ${response.status} without an ETag`)
    await response.arrayBuffer()
    return get(token, '/api/sync/heads', { 'if-none-match': etag })
  }))
}

export function status (persons: readonly Person[]): Request[] {
  const lastChecked = encodeURIComponent(new Date().toISOString())
  return persons.map(({ token }) => get(token, `/api/messages/sync-status?lastChecked=${lastChecked}`))
}

async function upToDate (url: string, { self, other }: View, since: Date): Promise<ConversationAnswer> {
  let answer = await ask<ConversationAnswer>(url, post(self.token, path, { otherUserId: other.id, lastSyncTimestamp: since.toISOString() }))
  while (answer.hasMore) answer = await ask<ConversationAnswer>(url, post(self.token, path, { otherUserId: other.id, cursor: answer.cursor }))
  return answer
}

async function expectCount (url: string, request: Request, count: number): Promise<void> {
  const answer = await ask<ConversationAnswer>(url, request)
  if (answer.count !== count || answer.messages.length !== count) throw new Error(`${request.body ?? ''} brought ${answer.messages.length} messages, not ${count}`)
}
