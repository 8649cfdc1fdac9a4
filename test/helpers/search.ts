import { Value } from '@sinclair/typebox/value'
import type { Test } from 'tap'
import { SearchBody } from '../../src/schemas/message.ts'
import type { TestApp } from './app.ts'
import type { Answer } from './request.ts'

interface User { id: string, token: string }

/** What the tests of the search do: send, and look for what was sent. */
export function searchesOf (t: Test, { call }: Pick<TestApp, 'call'>) {
  const send = async (from: User, to: User, content: string, fields = {}) => (await call(
    'POST', '/api/messages', { token: from.token, body: { receiverId: to.id, content, ...fields } }
  )).body.message
  const look = async (user: User, query: string): Promise<Answer> => await call(
    'GET', `/api/messages/search?${query}`, { token: user.token }
  )

  /** Everything that a search finds, page by page. */
  async function all (user: User, query: string): Promise<string[]> {
    const found: string[] = []
    for (let cursor = ''; ;) {
      const { status, body } = await look(user, query + cursor)
      t.equal(status, 200)
      t.ok(Value.Check(SearchBody, body))
      t.equal(body.hasMore, body.cursor !== null)
      found.push(...body.messages.map(({ message }: { message: string }) => message))
      if (body.cursor === null) return found
      cursor = `&cursor=${encodeURIComponent(body.cursor as string)}`
    }
  }

  return { send, look, all }
}
