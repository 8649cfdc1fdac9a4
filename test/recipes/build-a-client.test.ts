import t from 'tap'
import { seqOf } from '../../src/log/model/types.ts'
import { startApp } from '../helpers/app.ts'
import { newPerson } from '../helpers/people.ts'
import { importRecipe, unpack } from '../helpers/recipes.ts'

interface Placed { seq: number, rev: number }

interface Held {
  cursors: Record<string, string>
  conversations: Record<string, { messages: Record<string, Placed> }>
}

interface Applying {
  apply: (state: Held, answer: object) => void
  empty: () => Held
}

interface Sending {
  push: (call: (...given: never[]) => Promise<unknown>, outbox: object[]) => Promise<{ left: object[], waitMs: number }>
}

const folder = unpack(t, 'BUILD-A-CLIENT.md')
const { apply, empty } = await importRecipe<Applying>(folder, 'apply.mjs')
const { push } = await importRecipe<Sending>(folder, 'send.mjs')

t.test('a client built from the page holds what the server shows, at any page size', async t => {
  const app = await startApp(t)
  const [ada, bob, cid] = await Promise.all([newPerson(app), newPerson(app), newPerson(app)])
  const ask = async (who: { token: string }, method: string, path: string, body?: unknown) => {
    const answer = await app.call(method, path, { token: who.token, ...(body === undefined ? {} : { body }) })
    if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}`)
    return answer.body
  }
  const clients = [1, 3, 500].map(limit => ({ limit, state: empty() }))
  const agree = async (title: string) => {
    const { conversations } = await ask(bob, 'GET', '/api/conversations')
    for (const { limit, state } of clients) {
      for (let hasMore = true; hasMore;) {
        const answer = await ask(bob, 'POST', '/api/sync', { cursors: state.cursors, limit })
        apply(state, answer)
        hasMore = answer.hasMore
      }
      for (const { conversationId } of conversations) {
        const { messages } = await ask(bob, 'GET', `/api/conversations/${conversationId}/messages`)
        const held = Object.values(state.conversations[conversationId]?.messages ?? {}).sort((a, b) => a.seq - b.seq)
        const brief = (list: Placed[]) => list.map(({ seq, rev }) => [seq, rev])
        t.strictSame(brief(held), brief(messages), `${title}: ${conversationId}, pages of ${limit}`)
      }
      const ids = conversations.map(({ conversationId }: { conversationId: string }) => conversationId).sort()
      t.strictSame(Object.keys(state.conversations).sort(), ids, `${title}: the conversations`)
    }
  }
  const { room: { roomId } } = await ask(ada, 'POST', '/api/rooms', { name: 'Room', isPrivate: true })
  const room = `room_${roomId}`
  const invite = async (who: { id: string }) => {
    await ask(ada, 'PUT', `/api/rooms/${roomId}/members/${who.id}`, { role: 'member' })
  }
  const say = async (who: { token: string }, content: string) => {
    const { message } = await ask(who, 'POST', '/api/messages', { conversationId: room, content })
    return message._id as string
  }
  await Promise.all([invite(bob), invite(cid)])
  const first = await say(ada, 'one')
  for (const text of ['two', 'three', 'four']) await say(cid, text)
  await ask(ada, 'POST', '/api/messages', { receiverId: bob.id, content: 'hello' })
  await agree('at first')

  await ask(ada, 'PUT', `/api/messages/${first}`, { content: 'one, edited' })
  const gone = await say(ada, 'five')
  await ask(ada, 'DELETE', `/api/messages/${gone}`)
  await agree('after an edit and a delete')
  await ask(bob, 'PATCH', `/api/conversations/${room}`, { clearThroughSeq: 1, hideSeqs: [3] })
  await agree('after a clearing')
  await ask(bob, 'PUT', `/api/users/${cid.id}/block`)
  await say(cid, 'six')
  await agree('during a block')
  await ask(bob, 'DELETE', `/api/users/${cid.id}/block`)
  await agree('after a block')
  await app.app.chat.log.commit({ mutations: [{ type: 'purge', conversationId: room, throughSeq: seqOf(2) }] })
  await agree('after a purge')
  await ask(ada, 'DELETE', `/api/rooms/${roomId}/members/${bob.id}`)
  await agree('after a removal')
  await invite(bob)
  await say(ada, 'seven')
  await agree('after an invitation')

  await t.test('its outbox is sent in order, however often an answer is lost', async t => {
    const send = (number: number) => (
      { opId: `${number}`, type: 'send', receiverId: ada.id, content: `${number}`, clientMessageId: `m-${number}` })
    const outbox = Array.from({ length: 150 }, (_, number) => send(number))
    const call = async (method: string, path: string, body: object) => await ask(bob, method, path, body)
    await push(call as never, outbox)
    let left: object[] = outbox
    while (left.length > 0) ({ left } = await push(call as never, left))
    const dm = `dm_${[ada.id, bob.id].sort().join('_')}`
    const { messages } = await ask(bob, 'GET', `/api/conversations/${dm}/messages?limit=100`)
    const texts = messages.map(({ message }: { message: string }) => message)
    t.strictSame(texts, outbox.slice(50).map(({ content }) => content))
  })
})
