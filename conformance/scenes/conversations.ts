import { type Cast, dm } from './cast.ts'
import type { Payload } from './phone.ts'

/** The one list of conversations, its pages of history, mentions, and the caller's own settings. */
export async function conversations (cast: Cast): Promise<void> {
  const { sheet, ada, bob, cid, eve } = cast
  const { conversationId: room, path } = await cast.room({ isPrivate: true, topic: 'What it is about' }, bob)
  const direct = dm(ada, bob)
  await cast.direct(ada, bob, 'one')
  const get = async (path: string): Promise<Payload> => (await cast.call(bob, 'GET', `/api/conversations${path}`)).body
  const own = async (id: string): Promise<Payload> => (await get(`/${id}`)).conversation
  const before = await own(direct)
  const two = await cast.direct(ada, bob, 'two', { mentions: { userIds: [bob.id, eve.id] } })
  await cast.call(ada, 'POST', '/api/messages', { conversationId: room, content: 'three' })
  sheet.is('a mention names who may see it, and nobody else', two, { mentions: { userIds: [bob.id], all: false } })
  const counted = { unreadCount: before.unreadCount + 1, mentionCount: before.mentionCount + 1 }
  sheet.is(
    'unread messages and mentions are counted',
    await own(direct), { ...counted, lastMessage: { message: 'two' } }
  )

  const listed = (await get('?limit=100')).conversations as Payload[]
  const find = (id: string) => listed.find(({ conversationId }) => conversationId === id)
  sheet.is('the list has direct conversations with their user', find(direct), { kind: 'direct', user: { _id: ada.id } })
  const asMember = { kind: 'room', role: 'member', memberCount: 2, topic: 'What it is about' }
  sheet.is('the list has rooms with the own role', find(room), { ...asMember, lastMessage: { message: 'three' } })
  if (cast.common) {
    await cast.call(ada, 'POST', '/api/messages', { conversationId: 'common_chat', content: cast.name('common') })
    sheet.is(
      'the list has the common chat',
      (await get('?kind=common')).conversations,
      [{ kind: 'common', conversationId: 'common_chat' }]
    )
  }
  const kinds = (await get('?kind=direct&limit=100')).conversations as Payload[]
  sheet.that('one kind is listed alone', kinds.every(({ kind }) => kind === 'direct'), kinds)

  const read = await cast.call(bob, 'PATCH', `/api/conversations/${direct}/read`, { seq: two.seq })
  sheet.is(
    'a read position moves by conversation',
    read, { status: 200, body: { conversationId: direct, seq: two.seq } }
  )
  sheet.is('what is read is not counted', await own(direct), { unreadCount: 0, mentionCount: 0, readSeq: two.seq })
  const around = await cast.call(bob, 'GET', `/api/conversations/${direct}/messages?around=${two.seq}&limit=1`)
  sheet.is(
    'a page around a message has it, and says what it is whole from',
    around, { status: 200, body: { messages: [{ _id: two._id }], fromSeq: two.seq, hasNewer: false } }
  )
  const one = await cast.call(bob, 'GET', `/api/conversations/${direct}/messages/${two._id}`)
  sheet.is('a message is fetched by its id', one, { status: 200, body: { message: { _id: two._id, seq: two.seq } } })
  const elsewhere = { conversationId: room, content: 'to that', replyTo: two._id }
  const answer = await cast.call(bob, 'POST', '/api/messages', elsewhere)
  sheet.is('an answer names a message of its own conversation', answer, { status: 400, code: 'VALIDATION' })
  const reply = await cast.direct(bob, ada, 'to that', { replyTo: two._id })
  sheet.is('an answer says where the message is', reply, { replyTo: { _id: two._id, seq: two.seq, senderId: ada.id } })
  for (const route of ['', '/messages', `/messages/${two._id}`]) {
    const refused = await cast.call(cid, 'GET', `/api/conversations/${direct}${route}`)
    sheet.is(
      `a stranger gets 404 for a conversation${route.replace(/\w{24}/, '…')}`,
      refused, { status: 404, code: 'NOT_FOUND' }, 6
    )
  }
  await cast.call(ada, 'DELETE', path)
}

/** The caller's own settings of a conversation. */
export async function ownSettings (cast: Cast): Promise<void> {
  const { sheet, ada, bob } = cast
  const { conversationId, path } = await cast.room({ isPrivate: true }, bob)
  const say = async (content: string): Promise<Payload> =>
    (await cast.call(ada, 'POST', `${path}/messages`, { content })).body.message
  for (const content of ['one', 'two']) await say(content)
  const last = await say('three')
  const phone = await cast.phone(bob, { live: true })
  const before = await cast.sync(bob)
  const set = await cast.call(bob, 'PATCH', `/api/conversations/${conversationId}`, {
    notify: 'mentions', archived: true, clearThroughSeq: 1, hideSeqs: [last.seq]
  })
  const settings = { notify: 'mentions', archived: true, clearedSeq: 1, hiddenSeqs: [last.seq] }
  sheet.is(
    'own settings are set, and count at once',
    set, { status: 200, body: { conversation: { settings, unreadCount: 1, lastMessage: { message: 'two' } } } }
  )
  const told = await phone.wait('conversationChanged', { conversationId: 'self', change: { kind: 'settings' } })
  sheet.is('the own devices hear of own settings', told, { change: { conversationId, ...settings } }, 5)
  sheet.is('REST answers the rev that is told', set.body, { rev: told?.rev as number })
  const operation = { opId: '1', type: 'settings', conversationId, notify: 'mentions' }
  const pushed = await phone.ask('push', { operations: [operation] })
  sheet.is(
    'a push of what is so already answers the same rev',
    pushed, { results: [{ success: true, rev: told?.rev as number }] }
  )
  const page = (await cast.call(bob, 'GET', `/api/conversations/${conversationId}/messages`)).body
  sheet.is('what is cleared or hidden is not in the history', page, { messages: [{ message: 'two' }], fromSeq: 2 })
  const after = await cast.sync(bob, before.cursors)
  sheet.is(
    'own settings are in the own log',
    after.conversations.get('self')?.changes.at(-1), { kind: 'settings', ...settings }
  )
  sheet.that(
    'showing less is no reset',
    after.conversations.get(conversationId)?.reset !== true, after.conversations.get(conversationId)
  )
  sheet.is('others see everything', (await cast.call(ada, 'GET', `${path}/messages`)).body.messages, [{}, {}, {}])
  await cast.call(ada, 'DELETE', path)
}

/** A sync that names its conversations, and how one begins. */
export async function scopes (cast: Cast): Promise<void> {
  const { sheet, ada, bob } = cast
  const [one, other] = [await cast.room({ isPrivate: true }, bob), await cast.room({ isPrivate: true }, bob)]
  const sent: Payload[] = []
  for (const content of ['one', 'two', 'three']) {
    sent.push((await cast.call(ada, 'POST', `${one.path}/messages`, { content })).body.message)
    await cast.call(ada, 'POST', `${other.path}/messages`, { content })
  }
  const id = one.conversationId
  const ask = async (body: object): Promise<Payload> =>
    (await cast.call(bob, 'POST', '/api/sync', { only: true, ...body })).body
  const beginning = await ask({})
  sheet.is('only, and no names: the own log alone', beginning.conversations, [{ conversationId: 'self' }])
  const self = beginning.conversations?.[0]?.cursor as string
  const newest = await ask({ newest: 1, cursors: { self, [id]: null } })
  const changes = [{ kind: 'meta' }, { message: { _id: sent[2]?._id as string } }]
  const last = { conversationId: id, reset: true, fromSeq: 3, changes }
  sheet.is('only what is named, with its newest message, whole from there', newest.conversations, [last])
  let page = await ask({ newest: 'all', limit: 2, cursors: { self, [id]: null } })
  sheet.is(
    'all: from the first message on, in pages',
    page, { hasMore: true, conversations: [{ conversationId: id, reset: true, fromSeq: 1 }] }
  )
  const seqs: number[] = []
  for (let pages = 0; pages < 20; pages++) {
    const [found] = page.conversations as Payload[]
    const messages = ((found?.changes ?? []) as Payload[]).flatMap(({ message }) => message ?? [])
    seqs.push(...messages.map(({ seq }) => seq as number))
    if (page.hasMore !== true) break
    page = await ask({ newest: 'all', limit: 2, cursors: { self, [id]: found?.cursor as string } })
  }
  sheet.is('the pages go on to the last message', seqs, [1, 2, 3])
  for (const { path } of [one, other]) await cast.call(ada, 'DELETE', path)
}
