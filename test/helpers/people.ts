import type { FastifyInstance } from 'fastify'
import { ObjectId } from 'mongodb'
import type { SyncBody } from '../../src/schemas/sync.ts'
import type { TestApp } from './app.ts'
import { type State, apply, cursorsOf, nothing } from './follower.ts'
import type { Identity } from '../../src/users/identity.ts'

/** A user of a test: a token for REST, and an identity for operations. */
export interface TestPerson {
  id: string
  token: string
  identity: Identity
}

let made = 0

/** Registers a user. */
export async function newPerson ({ app, register }: TestApp): Promise<TestPerson> {
  const { id, token } = await register(`person_${process.pid}_${made++}`)
  return { id, token, identity: await identityOf(app, id) }
}

async function identityOf (app: FastifyInstance, userId: string): Promise<Identity> {
  const user = await app.chat.users.get(userId)
  return { userId, id: new ObjectId(userId), user: user!, isAdmin: false, sessionId: 'test' }
}

/** Calls `POST /api/sync` once. */
export async function syncOnce ({ call }: TestApp, { token }: TestPerson, body: object): Promise<SyncBody> {
  const answer = await call('POST', '/api/sync', { token, body })
  if (answer.status !== 200) throw new Error(`sync answered ${answer.status}: ${answer.text}`)
  return answer.body as SyncBody
}

/** One conversation of a response. */
export function inAnswer ({ conversations }: SyncBody, id: string): SyncBody['conversations'][number] | undefined {
  return conversations.find(({ conversationId }) => conversationId === id)
}

/** The cursors of a response, by conversation. */
export function cursorsIn ({ conversations }: Pick<SyncBody, 'conversations'>): Record<string, string> {
  return Object.fromEntries(conversations.map(({ conversationId, cursor }) => [conversationId, cursor]))
}

/** Syncs from a state until `hasMore` is false. Every response with `hasMore` must have moved a cursor. */
export async function catchUp (test: TestApp, person: TestPerson, from: State = nothing, limit = 500): Promise<State> {
  let state = from
  for (;;) {
    const answer = await syncOnce(test, person, { cursors: cursorsOf(state), limit })
    const next = apply(state, answer)
    if (!answer.hasMore) return next
    if (JSON.stringify(cursorsOf(next)) === JSON.stringify(cursorsOf(state))) throw new Error('There is more, and nothing has moved')
    state = next
  }
}
