import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Message } from '../../src/schemas/message.ts'
import { startApp } from '../helpers/app.ts'
import { nothing, shown } from '../helpers/follower.ts'
import { LiveClient } from '../helpers/live-client.ts'
import { catchUp, newPerson } from '../helpers/people.ts'
import { connect } from '../helpers/sockets.ts'

const test = await startApp(t, { RATE_LIMIT_SENDS: '0', RATE_LIMIT_REQUESTS: '0', RATE_LIMIT_REGISTER: '0' })
const { app, url, call } = test

/** What happens, to be filled in with who is there: numbers name users, rooms and messages. */
const step = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('room', 'direct', 'common') },
    { weight: 6, arbitrary: fc.constantFrom('edit', 'delete', 'react', 'unreact', 'read') },
    { weight: 5, arbitrary: fc.constantFrom('invite', 'join', 'kick', 'leave', 'ban', 'unban', 'block', 'unblock', 'rename', 'history') }
  ),
  who: fc.nat(3),
  whom: fc.nat(3),
  place: fc.nat(1),
  message: fc.nat(30),
  waits: fc.boolean()
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

t.test('I7: a connection gets consecutive revs, and applying them gives what a fresh sync brings', async t => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async steps => {
    const people = await Promise.all([0, 1, 2, 3].map(() => newPerson(test)))
    const rooms: string[] = []
    for (const history of ['all', 'joined']) {
      const { body } = await call('POST', '/api/rooms', { token: people[0]!.token, body: { name: 'x', history } })
      rooms.push(body.room.roomId)
    }
    const clients = await Promise.all(people.map(async ({ token }) => {
      const client = new LiveClient(await connect(t, url, token))
      await client.start()
      return client
    }))
    const messages: Array<{ _id: string, conversationId: string, seq: number }> = []

    const act = async ({ kind, who, whom, place, message }: Step, index: number): Promise<void> => {
      const { token } = people[who]!
      const other = people[whom]!.id
      const roomId = rooms[place]!
      const about = messages[message % Math.max(1, messages.length)]
      const content = `${kind} ${index}`
      const ask = async (method: string, path: string, body?: object) => {
        const answer = await call(method, path, { token, ...(body === undefined ? {} : { body }) })
        assert(answer.status < 500, answer.text)
        if (answer.status === 201 && kind !== 'join') messages.push(answer.body.message)
      }
      switch (kind) {
        case 'room': return await ask('POST', `/api/rooms/${roomId}/messages`, { content })
        case 'direct': return await ask('POST', '/api/messages', { receiverId: other, content })
        case 'common': return await ask('POST', '/api/common-chat/message', { content })
        case 'edit': return about === undefined ? undefined : await ask('PUT', `/api/messages/${about._id}`, { content })
        case 'delete': return about === undefined ? undefined : await ask('DELETE', `/api/messages/${about._id}`)
        case 'react':
        case 'unreact': return about === undefined ? undefined : await ask(kind === 'react' ? 'PUT' : 'DELETE', `/api/messages/${about._id}/reactions/${encodeURIComponent('👍')}`)
        case 'read': return about === undefined ? undefined : await ask('PATCH', `/api/messages/${about._id}/read`)
        case 'invite': return await ask('PUT', `/api/rooms/${roomId}/members/${other}`)
        case 'join': return await ask('PUT', `/api/rooms/${roomId}/members/me`)
        case 'kick': return await ask('DELETE', `/api/rooms/${roomId}/members/${other}`)
        case 'leave': return await ask('DELETE', `/api/rooms/${roomId}/members/me`)
        case 'ban':
        case 'unban': return await ask(kind === 'ban' ? 'PUT' : 'DELETE', `/api/rooms/${roomId}/bans/${other}`)
        case 'block':
        case 'unblock': return await ask(kind === 'block' ? 'PUT' : 'DELETE', `/api/users/${other}/block`)
        case 'rename': return await ask('PATCH', `/api/rooms/${roomId}`, { name: content })
        case 'history': return await ask('PATCH', `/api/rooms/${roomId}`, { history: index % 2 === 0 ? 'all' : 'joined' })
      }
    }
    let running: Array<Promise<void>> = []
    for (const [index, one] of steps.entries()) {
      running.push(act(one, index))
      if (one.waits) {
        await Promise.all(running)
        running = []
        for (const client of clients) await client.catchUp()
      }
    }
    await Promise.all(running)
    await app.live.beat()
    // An answer may come before its event, whose payload needs a read; what a client asks after this comes behind it.
    await app.live.finish()
    for (const client of clients) {
      await client.socket.ask('setupUser')
      await client.catchUp()
    }
    for (const [index, client] of clients.entries()) {
      const fresh = comparable(await catchUp(test, people[index]!, nothing), people)
      assert.deepEqual(comparable(client.state, people), fresh, `client ${index}`)
      assert.deepEqual(client.holes, [], `client ${index}`)
      client.socket.socket.close()
    }
  }), { numRuns: 15, endOnFailure: true })
  t.pass('15 random histories')
})

/** What these people wrote, without what a client counts for itself and positions of who has left. */
function comparable (state: Parameters<typeof shown>[0], people: ReadonlyArray<{ id: string }>) {
  const { conversations, ...own } = shown(state)
  const theirs = (message: Message) => people.some(({ id }) => id === ('user' in message ? message.user._id : message.senderId._id))
  return {
    ...own,
    conversations: Object.fromEntries(Object.entries(conversations)
      .map(([id, { kind, messages, meta, reads }]) => [id, {
        kind, messages: messages.filter(theirs), meta: meta === undefined ? undefined : { ...meta, rev: 0 }, reads: kind === 'direct' ? reads : {}
      }] as const)
      .filter(([, { messages, meta }]) => messages.length > 0 || meta !== undefined))
  }
}
