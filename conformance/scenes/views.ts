import { type Cast, messagesIn } from './cast.ts'

/** What a member sees from before the joining: all or nothing. A view that is widened comes as a reset. */
export async function views (cast: Cast): Promise<void> {
  const { sheet, ada, bob, cid } = cast
  const { conversationId, path } = await cast.room({ isPrivate: true, history: 'joined' }, bob)
  const send = async (content: string) => (await cast.call(ada, 'POST', `${path}/messages`, { content })).body.message as { _id: string, seq: number }
  const early = await send('one')
  await send('two')
  await cast.call(ada, 'PUT', `${path}/members/${cid.id}`, {})
  await send('three')

  const joined = await cast.sync(cid)
  const all = await cast.sync(bob)
  const page = async () => ((await cast.call(cid, 'GET', `${path}/messages`)).body.messages as Array<{ message: string }>).map(({ message }) => message)
  sheet.is('who was there sees all', messagesIn(all.conversations.get(conversationId)), ['one', 'two', 'three'])
  sheet.is('history: joined shows what came since, in a sync', messagesIn(joined.conversations.get(conversationId)), ['three'], 6)
  sheet.is('history: joined shows what came since, in the history', await page(), ['three'], 6)
  sheet.is('what is not shown is not counted', joined.conversations.get(conversationId), { unreadCount: 1 })
  sheet.is('what is not shown cannot be reacted to', await cast.call(cid, 'PUT', `/api/messages/${early._id}/reactions/${encodeURIComponent('👍')}`), { status: 404 }, 6)
  sheet.is('what is not shown cannot be answered', await cast.call(cid, 'POST', `${path}/messages`, { content: 'to that', replyTo: early._id }), { status: 400 }, 6)
  sheet.is('what is not shown is not found', await cast.call(cid, 'GET', `/api/messages/search?q=one&conversationId=${conversationId}`), { status: 200, body: { messages: [] } }, 6)
  await cast.call(ada, 'PUT', `/api/messages/${early._id}`, { content: 'one, edited' })
  const unmoved = await cast.sync(cid, joined.cursors)
  sheet.is('a change of what is not shown is not shown', messagesIn(unmoved.conversations.get(conversationId)), [], 6)

  sheet.is('the owner shows all', await cast.call(ada, 'PATCH', path, { history: 'all' }), { status: 200, body: { room: { history: 'all' } } })
  const widened = (await cast.sync(cid, unmoved.cursors)).conversations.get(conversationId)
  sheet.is('a widened view comes as a reset', widened, { reset: true })
  sheet.is('a widened view comes with all', messagesIn(widened).sort(), ['one, edited', 'three', 'two'])
  sheet.is('a widened view is in the history', await page(), ['one, edited', 'two', 'three'])
}

/** A member leaves a room and joins again. */
export async function comingBack (cast: Cast): Promise<void> {
  const { sheet, ada, bob } = cast
  const { conversationId, path } = await cast.room({ isPrivate: true }, bob)
  const send = async (content: string) => await cast.call(ada, 'POST', `${path}/messages`, { content })
  await send('before')
  const inside = await cast.sync(bob)
  await cast.call(ada, 'DELETE', `${path}/members/${bob.id}`)
  await send('behind him')
  const outside = await cast.sync(bob, inside.cursors)
  sheet.that('who was removed gets nothing of the room, whatever cursor they hold', !outside.conversations.has(conversationId), outside.conversations.get(conversationId), 6)
  sheet.is('the removal is in the own log', outside.conversations.get('self')?.changes.filter(change => change.conversationId === conversationId), [{ kind: 'membership', role: null, userId: bob.id }])
  await cast.call(ada, 'PUT', `${path}/members/${bob.id}`, {})
  const back = await cast.sync(bob, outside.cursors)
  sheet.is('after a new invitation it comes with a reset', back.conversations.get(conversationId), { reset: true })
  sheet.is('after a new invitation the own log says so', back.conversations.get('self')?.changes.filter(change => change.conversationId === conversationId), [{ kind: 'membership', role: 'member' }])
  sheet.is('everything comes again', messagesIn(back.conversations.get(conversationId)).sort(), ['before', 'behind him'])
}
