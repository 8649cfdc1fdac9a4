import { type Cast, dm } from './cast.ts'

interface Counted { unreadCount: number, unreadCountCapped?: boolean, conversations: Record<string, number> }

/** Read positions reach everybody who may see them, and unread counts are exact. */
export async function reads (cast: Cast): Promise<void> {
  const { sheet, ada, bob, eve } = cast
  const conversationId = dm(ada, bob)
  await cast.direct(ada, bob, 'the first')
  const [hers, his, hisToo, stranger] = await Promise.all([ada, bob, bob, eve].map(async person => await cast.phone(person, { live: true })))
  await cast.call(bob, 'PATCH', `/api/messages/conversations/${ada.id}/read`)
  await cast.call(ada, 'PATCH', `/api/messages/conversations/${bob.id}/read`)
  const counts = async () => {
    const [all, listed, synced, status] = [
      (await cast.call(bob, 'GET', '/api/messages/unread-count')).body as Counted,
      (await cast.call(bob, 'GET', '/api/messages/conversations?limit=100')).body.conversations as Array<{ conversationId: string, unreadCount: number }>,
      (await cast.sync(bob)).conversations.get(conversationId),
      (await cast.call(bob, 'GET', '/api/messages/sync-status')).body as { unreadCount: number }
    ]
    const direct = Object.entries(all.conversations).reduce((sum, [id, n]) => id.startsWith('dm_') ? sum + n : sum, 0)
    sheet.that('sync-status counts what is unread in all direct conversations', status.unreadCount === direct, { status: status.unreadCount, direct })
    sheet.that('the whole is the sum of its parts', all.unreadCount === Object.values(all.conversations).reduce((sum, n) => sum + n, 0), all)
    return [all.conversations[conversationId] ?? 0, listed.find(one => one.conversationId === conversationId)?.unreadCount, synced?.unreadCount]
  }
  sheet.is('all is read', await counts(), [0, 0, 0])
  const sent: Array<{ _id: string, seq: number }> = []
  for (const content of ['one', 'two', 'three', 'four', 'five']) sent.push(await cast.direct(ada, bob, content) as typeof sent[number])
  await cast.direct(bob, ada, 'own messages are not unread')
  sheet.is('messages of the other are counted', await counts(), [5, 5, 5])
  await cast.call(ada, 'DELETE', `/api/messages/${sent[4]!._id}`)
  sheet.is('a deleted message is not counted', await counts(), [4, 4, 4])
  sheet.is('one\'s own are not counted', (await cast.call(ada, 'GET', '/api/messages/unread-count')).body.conversations[conversationId], 1)

  const cursors = (await cast.sync(bob)).cursors
  const hersBefore = await cast.call(ada, 'POST', '/api/messages/sync-conversation', { otherUserId: bob.id, limit: 500 })
  const seq = sent[2]!.seq
  sheet.is('reading is acknowledged', await his!.ask('markRead', { conversationId, seq }), { success: true })
  const told = { conversationId, userId: bob.id, seq }
  sheet.is('the other is told of a read', await hers!.wait('messagesRead', told), { ...told, at: /^\d{4}-/ })
  sheet.is('the reader\'s other devices are told of a read', await hisToo!.wait('messagesRead', told), told, 5)
  await stranger!.settle()
  sheet.is('a stranger is told of no read', stranger!.all('messagesRead'), [], 6)
  sheet.is('what was read is not counted', await counts(), [1, 1, 1])
  const synced = await cast.sync(ada)
  sheet.is('how far the other has read is in the sync', synced.conversations.get(conversationId)?.reads.find(({ userId }) => userId === bob.id), { seq })
  const own = await cast.sync(bob, cursors)
  sheet.is('the own read is in the own log', own.conversations.get('self')?.changes.filter(({ kind }) => kind === 'read'), [{ conversationId, seq }], 5)
  const again = await cast.call(ada, 'POST', '/api/messages/sync-conversation', { otherUserId: bob.id, cursor: hersBefore.body.cursor as string })
  sheet.is('sync-conversation tells reads that moved', again, { status: 200, body: { reads: [{ userId: bob.id, seq }] } })
  const byTime = await cast.call(ada, 'POST', '/api/messages/sync-conversation', { otherUserId: bob.id, lastSyncTimestamp: hersBefore.body.syncTimestamp as string })
  sheet.is('own messages that were read since come again by time', (byTime.body.messages as Array<{ _id: string, isRead: boolean }>).find(({ _id }) => _id === sent[2]!._id), { isRead: true })

  await his!.ask('markRead', { conversationId, seq: seq - 1 })
  sheet.is('a read position does not go back', (await cast.sync(ada)).conversations.get(conversationId)?.reads.find(({ userId }) => userId === bob.id), { seq })
  await his!.ask('markRead', { conversationId, seq })
  sheet.is('repeating a read changes nothing', [...(await cast.sync(bob, own.cursors)).conversations.keys()].filter(id => id === 'self' || id === conversationId), [])
  sheet.is('reading a message reads all before it', await cast.call(bob, 'PATCH', `/api/messages/${sent[3]!._id}/read`), { status: 200, body: { conversationId, seq: sent[3]!.seq } })
  sheet.is('nothing is left', await counts(), [0, 0, 0])
  const newest = (await cast.call(ada, 'GET', `/api/messages/${bob.id}?limit=1`)).body.messages[0] as { seq: number }
  sheet.is('beyond the end means the end', await cast.call(bob, 'POST', '/api/sync/push', { operations: [{ opId: '1', type: 'markRead', conversationId, seq: 1_000_000 }] }), { body: { results: [{ success: true, seq: newest.seq }] } })
}

/** Messages to write: more than a count can show. */
const manyCount = 1_100

/** Above a thousand a count is marked as a minimum. Below, it is exact. */
export async function manyUnread (cast: Cast): Promise<void> {
  const { sheet, ada, bob, cid } = cast
  const { conversationId, path } = await cast.room({ isPrivate: true }, bob, cid)
  for (let start = 0; start < manyCount; start += 100) {
    const operations = Array.from({ length: 100 }, (_, index) => ({ opId: String(index), type: 'send', conversationId, content: `number ${start + index + 1}` }))
    const { body } = await cast.call(ada, 'POST', '/api/sync/push', { operations })
    const lost = (body.results as Array<{ success: boolean, code?: string }> | undefined)?.find(({ success }) => !success)
    if (lost !== undefined) return sheet.skip(`more than a thousand unread messages: the deployment takes no ${manyCount} at once (${String(lost.code)})`)
  }
  sheet.is('more than are counted: a thousand, and that it is capped', await count(cast), { [conversationId]: 1_000 })
  sheet.is('the sync says that a count is capped', (await cast.sync(bob)).conversations.get(conversationId), { unreadCount: 1_000, unreadCountCapped: true })
  const phone = await cast.phone(bob)
  for (const [seq, left] of [[100, 1_000], [101, 999], [600, 500], [1_099, 1], [1_100, 0]] as const) {
    await phone.ask('markRead', { conversationId, seq })
    sheet.is(`of ${manyCount}, read up to ${seq}`, (await count(cast))[conversationId] ?? 0, left)
  }
  const { body } = await cast.call(cid, 'GET', `${path}/messages?limit=500`)
  const seqs = (body.messages as Array<{ seq: number }>).map(({ seq }) => seq)
  sheet.that('the newest page of the history ascends without a gap', seqs.length === 500 && seqs.every((seq, index) => seq === 601 + index), seqs.slice(0, 5), 4)
}

async function count (cast: Cast): Promise<Record<string, number>> {
  return ((await cast.call(cast.bob, 'GET', '/api/messages/unread-count')).body as Counted).conversations
}
