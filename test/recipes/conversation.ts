import type { Test } from 'tap'
import { seqOf } from '../../src/log/model/types.ts'
import type { DirectMessage } from '../../src/schemas/message.ts'
import { startApp } from '../helpers/app.ts'

/** What a bridge must end up with: a message's seq, last change and content. */
export interface Held { seq: number, rev: number, text: string, isDeleted: boolean }

interface HistoryPage { messages: DirectMessage[], fromSeq: number, hasOlder: boolean }

export type Call = (method: string, path: string, body?: unknown) => Promise<unknown>

/** A long direct conversation on a real server, seen by a bridge that can be cut off. */
export interface LongConversation {
  conversationId: string
  userId: string
  /** As the bridge's user; it rejects while the bridge is offline. */
  call: Call
  setOnline: (on: boolean) => void
  /** How many pages the bridge has asked for. */
  syncs: () => number
  /** The other user pushes operations. */
  push: (operations: object[]) => Promise<void>
  /** Edits, deletes, new messages, a purge, and what the user clears and hides on another device. */
  goOn: () => Promise<void>
  /** What the server shows the user, read by history. */
  held: () => Promise<Held[]>
}

export async function longConversation (t: Test, messages: number): Promise<LongConversation> {
  const { app, call: request, register } = await startApp(t, { RATE_LIMIT_SENDS: '0', RATE_LIMIT_REQUESTS: '0' })
  const [mine, other] = await Promise.all([register('bridge'), register('other')])
  let isOnline = true
  let syncs = 0

  const ask = async (token: string, method: string, path: string, body?: unknown) => {
    const answer = await request(method, path, { token, ...(body === undefined ? {} : { body }) })
    if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}`)
    return answer.body as never
  }
  const push = async (operations: object[]) => {
    for (let start = 0; start < operations.length; start += 100) {
      const page = operations.slice(start, start + 100)
      const body = { operations: page.map((operation, index) => ({ opId: String(index), ...operation })) }
      const answer: { results: Array<{ success: boolean }> } = await ask(other.token, 'POST', '/api/sync/push', body)
      const refused = answer.results.find(({ success }) => !success)
      if (refused !== undefined) throw new Error(JSON.stringify(refused))
    }
  }
  const send = (from: number, count: number) => push(Array.from({ length: count }, (_, index) => (
    { type: 'send', receiverId: mine.id, content: `message ${from + index}`, clientMessageId: `m${from + index}` })))
  await send(1, messages)
  const conversationId = `dm_${[mine.id, other.id].sort().join('_')}`
  const target = (seq: number) => ({ conversationId, clientMessageId: `m${seq}` })

  return {
    conversationId,
    userId: mine.id,
    call: async (method, path, body) => {
      if (!isOnline) throw new TypeError('fetch failed')
      if (path === '/api/sync') syncs++
      return await ask(mine.token, method, path, body)
    },
    setOnline: on => { isOnline = on },
    syncs: () => syncs,
    push,
    goOn: async () => {
      const last = messages
      await push([1, 600, last - 1].map(seq => ({ type: 'edit', ...target(seq), content: `message ${seq}, edited` })))
      await push([2, 700, last - 2].map(seq => ({ type: 'delete', ...target(seq) })))
      await send(last + 1, 700)
      await app.chat.log.commit({ mutations: [{ type: 'purge', conversationId, throughSeq: seqOf(500) }] })
      const hidden = { clearThroughSeq: 550, hideSeqs: [800, last] }
      await ask(mine.token, 'PATCH', `/api/conversations/${conversationId}`, hidden)
      await push([{ type: 'edit', ...target(900), content: 'the last change' }])
    },
    held: async () => {
      const held: Held[] = []
      let before = ''
      for (;;) {
        const path = `/api/conversations/${conversationId}/messages?limit=100${before}`
        const page: HistoryPage = await ask(mine.token, 'GET', path)
        const rows = page.messages.map(({ seq, rev, message, isDeleted }) => ({ seq, rev, text: message, isDeleted }))
        held.unshift(...rows)
        if (!page.hasOlder) return held
        before = `&before=${page.fromSeq}`
      }
    }
  }
}
