import { type Cast, dm, messagesIn, noId } from './cast.ts'

/**
 * A block stops direct messages and hides the blocked user in rooms, in every sync and live. Ending it shows them
 * again.
 */
export async function blocks (cast: Cast): Promise<void> {
  const { sheet, ada, bob, cid } = cast
  const { roomId, conversationId, path } = await cast.room({}, bob, cid)
  await cast.direct(ada, bob, 'before the block')
  const [hers, his, hisToo, third] = await Promise.all([ada, bob, bob, cid].map(async person => await cast.phone(person, { live: true })))
  const say = async (content: string) => (await cast.call(ada, 'POST', `${path}/messages`, { content })).body.message as { _id: string, rev: number }
  const first = await say('before the block')
  const before = await cast.sync(bob)

  sheet.is('a block is acknowledged', await cast.call(bob, 'PUT', `/api/users/${ada.id}/block`), { status: 200, body: { success: true, blocked: true } })
  const told = { conversationId: 'self', change: { kind: 'block', userId: ada.id, on: true } }
  sheet.is('the own devices hear of a block', await hisToo!.wait('conversationChanged', told), told, 5)
  const blocked = await cast.sync(bob, before.cursors)
  sheet.is('a block is in the own log', blocked.conversations.get('self')?.changes.at(-1), { kind: 'block', userId: ada.id, on: true })
  await cast.call(bob, 'PUT', `/api/users/${ada.id}/block`)
  sheet.is('repeating a block changes nothing', [...(await cast.sync(bob, blocked.cursors)).conversations.keys()].filter(id => id === 'self'), [])
  sheet.is('nobody blocks themselves', await cast.call(bob, 'PUT', `/api/users/${bob.id}/block`), { status: 403, code: 'NOT_ALLOWED' })
  sheet.is('nobody blocks who is not there', await cast.call(bob, 'PUT', `/api/users/${noId}/block`), { status: 404, code: 'USER_NOT_FOUND' })

  const message = { receiverId: bob.id, content: 'blocked' }
  sheet.is('who is blocked is refused over REST', await cast.call(ada, 'POST', '/api/messages', message), { status: 403, code: 'NOT_ALLOWED', body: { retryable: false } })
  sheet.is('who is blocked is refused over a socket', await hers!.ask('sendDirectMessage', message), { success: false, code: 'NOT_ALLOWED' })
  sheet.is('who is blocked is refused in a push', await cast.call(ada, 'POST', '/api/sync/push', { operations: [{ opId: '1', type: 'send', ...message }] }), { status: 200, body: { results: [{ opId: '1', success: false, code: 'NOT_ALLOWED' }] } })
  await hers!.ask('typing', { conversationId: dm(ada, bob), on: true })

  const hidden = await say('to those who want to hear it')
  sheet.is('others hear the blocked in a room', await third!.wait('roomMessage', { _id: hidden._id }), { message: 'to those who want to hear it' })
  sheet.is('who has blocked them gets a noop of that rev', await his!.wait('noop', { conversationId, rev: hidden.rev }), { rev: hidden.rev })
  await hers!.ask('typing', { conversationId, on: true })
  const mine = (await cast.call(bob, 'POST', `${path}/messages`, { content: 'of the blocker' })).body.message as { _id: string }
  const thumb = encodeURIComponent('👍')
  for (const person of [ada, cid]) await cast.call(person, 'PUT', `/api/messages/${mine._id}/reactions/${thumb}`)
  sheet.is('others see the reactions of the blocked', await third!.wait('messageChanged', { _id: mine._id, reactions: [{ count: 2 }] }), { reactions: [{ userIds: [ada.id, cid.id] }] })
  sheet.is('who has blocked them sees the others\' alone', await his!.wait('messageChanged', { _id: mine._id, reactions: [{ count: 1 }] }), { reactions: [{ userIds: [cid.id] }] })
  sheet.is('and in the history', (await cast.call(bob, 'GET', `${path}/messages`)).body.messages.at(-1), { _id: mine._id, reactions: [{ count: 1, userIds: [cid.id] }] })
  await his!.ask('typing', { conversationId, on: true })
  await third!.wait('typing', { conversationId, userId: bob.id, on: true })
  await hers!.settle()
  sheet.is('the blocked do not hear who has blocked them type', hers!.all('typing', { userId: bob.id }), [])
  await his!.settle()
  sheet.is('who has blocked them hears nothing of them', [...his!.all('roomMessage', { _id: hidden._id }), ...his!.all('typing', { userId: ada.id })], [])
  const during = await cast.sync(bob, blocked.cursors)
  sheet.is('the blocked are in no sync', messagesIn(during.conversations.get(conversationId)), ['of the blocker'])
  sheet.is('the blocked are not counted', during.conversations.get(conversationId), { unreadCount: 0 })
  const afresh = await cast.sync(bob)
  sheet.is('the blocked are in no newest page', messagesIn(afresh.conversations.get(conversationId)), ['of the blocker'])
  sheet.is('the blocked are in no history', await cast.call(bob, 'GET', `${path}/messages`), { status: 200, body: { messages: [{ _id: mine._id }] } })
  sheet.is('a block does not hide the direct history', (await cast.call(bob, 'GET', `/api/messages/${ada.id}`)).body.messages.length > 0, true)

  const mark = hisToo!.mark
  sheet.is('a block is lifted', await cast.call(bob, 'DELETE', `/api/users/${ada.id}/block`), { status: 200, body: { blocked: false } })
  sheet.is('the own devices hear of its end', await hisToo!.wait('conversationChanged', { change: { kind: 'block', on: false } }, mark), { conversationId: 'self' }, 5)
  const after = (await cast.sync(bob, during.cursors)).conversations.get(conversationId)
  sheet.is('the end of a block widens the view: a reset', after, { reset: true, unreadCount: 2 })
  sheet.is('the end of a block brings everything back', messagesIn(after).sort(), ['before the block', 'of the blocker', 'to those who want to hear it'])
  sheet.is('then messages are taken again', await cast.call(ada, 'POST', '/api/messages', message), { status: 201 })
  const later = await say('heard again')
  sheet.is('then they are heard live again', await his!.wait('roomMessage', { _id: later._id }), { roomId })
  sheet.that('the room counted every change', later.rev === first.rev + 5, { first: first.rev, later: later.rev })
}
