import t from 'tap'
import { commonChatId, directId } from '../../../src/chat/rules/conversation-id.ts'
import { startApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/sockets.ts'

const { url, register, call } = await startApp(t)
const [ann, bob, eve] = [await register('ann'), await register('bob'), await register('eve')]
const { body: { room } } = await call('POST', '/api/rooms', {
  token: ann.token, body: { name: 'private', isPrivate: true }
})
const ids = { direct: directId(ann.id, bob.id), room: room.conversationId as string, common: commonChatId }

/** Every way of writing that names a conversation, as a call that resolves with its answer's body. */
const writes = async (user: typeof ann): Promise<Record<string, (id: string) => Promise<unknown>>> => {
  const phone = await connect(t, url, user.token)
  const rest = async (method: string, path: string, body: object) =>
    (await call(method, `/api${path}`, { token: user.token, body })).body
  const pushed = async (type: string, conversationId: string, fields: object) => {
    const operations = [{ opId: '1', type, conversationId, ...fields }]
    const [byRest] = (await rest('POST', '/sync/push', { operations })).results
    const [bySocket] = (await phone.ask('push', { operations })).results
    return byRest.success === bySocket.success ? byRest : { byRest, bySocket }
  }
  return {
    'POST /api/messages': async id => await rest('POST', '/messages', { conversationId: id, content: 'x' }),
    sendMessage: async id => await phone.ask('sendMessage', { conversationId: id, content: 'x' }),
    'push send': async id => await pushed('send', id, { content: 'x', clientMessageId: 'c-1' }),
    'push edit': async id => await pushed('edit', id, { content: 'y', clientMessageId: 'c-1' }),
    'push react': async id => await pushed('react', id, { emoji: '👍', on: true, clientMessageId: 'c-1' }),
    'push delete': async id => await pushed('delete', id, { clientMessageId: 'c-1' }),
    'PATCH …/read': async id => await rest('PATCH', `/conversations/${id}/read`, { seq: 1 }),
    markRead: async id => await phone.ask('markRead', { conversationId: id, seq: 1 }),
    'push markRead': async id => await pushed('markRead', id, { seq: 1 }),
    'PATCH /api/conversations/…': async id => await rest('PATCH', `/conversations/${id}`, { pinned: true }),
    'push settings': async id => await pushed('settings', id, { archived: true }),
    typing: async id => await phone.ask('typing', { conversationId: id, on: true })
  }
}

t.test('every operation that writes to a conversation takes its id, of any kind', async t => {
  const ways = Object.entries(await writes(ann))
  for (const [kind, id] of Object.entries(ids)) {
    for (const [way, write] of ways) t.match(await write(id), { success: true }, `${way}: ${kind}`)
  }
})

t.test('each of them tells a stranger that it does not exist', async t => {
  for (const [way, write] of Object.entries(await writes(eve))) {
    for (const id of [ids.direct, ids.room, `room_${'f'.repeat(24)}`, 'nothing']) {
      t.match(await write(id), { success: false, code: 'NOT_FOUND' }, `${way}: ${id}`)
    }
  }
})
