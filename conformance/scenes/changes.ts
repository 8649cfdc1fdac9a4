import { type Cast, dm, noId } from './cast.ts'

/** Ids that are reused for another body, and edits that lose against another edit. */
export async function answersToRetries (cast: Cast): Promise<void> {
  const { sheet, ada, bob, cid } = cast
  const [hers, his] = await Promise.all([cast.phone(ada), cast.phone(bob)])
  const clientMessageId = cast.name('m')
  const body = { receiverId: bob.id, content: 'once', clientMessageId }
  const first = await cast.call(ada, 'POST', '/api/messages', body)
  const messageId = first.body.message._id as string
  sheet.is('a new message is 201', first, { status: 201, body: { success: true, duplicate: undefined } }, 2)
  sheet.is('the same again is 200 and a duplicate', await cast.call(ada, 'POST', '/api/messages', body), { status: 200, body: { success: true, duplicate: true, message: { _id: messageId } } }, 2)
  sheet.is('the same over a socket is a duplicate', await hers.ask('sendDirectMessage', body), { success: true, duplicate: true, message: { _id: messageId } }, 2)
  const other = { ...body, content: 'another' }
  sheet.is('another body is 409 IDEMPOTENCY_MISMATCH', await cast.call(ada, 'POST', '/api/messages', other), { status: 409, body: { success: false, code: 'IDEMPOTENCY_MISMATCH', retryable: false } }, 2)
  sheet.is('another body over a socket is IDEMPOTENCY_MISMATCH', await hers.ask('sendDirectMessage', other), { success: false, code: 'IDEMPOTENCY_MISMATCH', retryable: false }, 2)
  sheet.is('another body in a push is IDEMPOTENCY_MISMATCH', await push(cast, { type: 'send', ...other }), [{ success: false, code: 'IDEMPOTENCY_MISMATCH' }], 2)
  sheet.is('the same id in another conversation is another message', await cast.call(ada, 'POST', '/api/messages', { ...body, receiverId: cid.id }), { status: 201 }, 2)
  sheet.is('the same id of another sender is another message', await cast.call(bob, 'POST', '/api/messages', { ...body, receiverId: ada.id }), { status: 201 }, 2)
  sheet.is('the same id under another type is IDEMPOTENCY_MISMATCH', await cast.call(ada, 'POST', '/api/messages', { ...body, messageType: 'image' }), { status: 409, code: 'IDEMPOTENCY_MISMATCH' }, 2)

  const { rev } = (await cast.call(ada, 'PUT', `/api/messages/${messageId}`, { content: 'edited' })).body as { rev: number }
  const lost = { success: false, code: 'CONFLICT', retryable: false, current: { _id: messageId, message: 'edited', rev } }
  const stale = { content: 'lost', expectedRev: rev - 1 }
  sheet.is('an edit that lost is 409 CONFLICT with what is stored', await cast.call(ada, 'PUT', `/api/messages/${messageId}`, stale), { status: 409, body: lost })
  sheet.is('an edit that lost over a socket is CONFLICT with what is stored', await hers.ask('editMessage', { messageId, ...stale }), lost)
  sheet.is('an edit that lost in a push is CONFLICT with what is stored', await push(cast, { type: 'edit', messageId, ...stale }), [lost])
  sheet.is('the same edit again is no conflict', await hers.ask('editMessage', { messageId, content: 'edited', expectedRev: rev - 1 }), { success: true, rev })

  const emoji = '👍'
  const reacted = await his.ask('react', { messageId, emoji, on: true })
  sheet.is('a reaction is counted', reacted, { success: true, message: { reactions: [{ emoji, count: 1, userIds: [bob.id] }] } })
  sheet.is('a reaction again takes no rev', await cast.call(bob, 'PUT', `/api/messages/${messageId}/reactions/${encodeURIComponent(emoji)}`), { status: 200, body: { rev: reacted?.rev as number } })
  sheet.is('what is no emoji is refused', await his.ask('react', { messageId, emoji: 'no', on: true }), { success: false, code: 'VALIDATION' })
  sheet.is('a reaction is taken back', await his.ask('react', { messageId, emoji, on: false }), { success: true, message: { reactions: [] } })
  sheet.is('nobody edits another\'s message', await his.ask('editMessage', { messageId, content: 'mine' }), { success: false, code: 'NOT_ALLOWED' }, 6)
  sheet.is('nobody deletes another\'s direct message', await his.ask('deleteMessage', { messageId }), { success: false, code: 'NOT_ALLOWED' }, 6)
  const gone = await hers.ask('deleteMessage', { messageId })
  sheet.is('a deleted message is a tombstone', gone, { success: true, message: { isDeleted: true, message: '', reactions: [] } })
  sheet.is('a delete again takes no rev', await cast.call(ada, 'DELETE', `/api/messages/${messageId}`), { status: 200, body: { rev: gone?.rev as number } })
  sheet.is('a deleted message is not edited', await hers.ask('editMessage', { messageId, content: 'back' }), { success: false, code: 'NOT_ALLOWED' })
  sheet.is('a retry does not bring a deleted message back', await hers.ask('sendDirectMessage', body), { success: true, duplicate: true, message: { _id: messageId, isDeleted: true, message: '' } }, 2)
  const synced = (await cast.sync(bob)).conversations.get(dm(ada, bob))?.changes.find(({ message }) => message?._id === messageId)
  sheet.is('the tombstone is in the sync, and nothing of the content', synced, { message: { isDeleted: true, message: '' } })

  const results = await push(cast, { type: 'edit', messageId: noId, content: 'of nothing' }, { type: 'delete', messageId: noId }, { type: 'send', receiverId: bob.id, content: 'goes on', clientMessageId: cast.name('m') }, { type: 'send', receiverId: bob.id }, { type: 'dance' })
  sheet.is('one that fails stops the later ones on the same message, and no others', results, [{ code: 'NOT_FOUND' }, { code: 'PREVIOUS_FAILED', retryable: true }, { success: true }, { code: 'VALIDATION' }, { code: 'VALIDATION' }])
}

async function push (cast: Cast, ...operations: object[]): Promise<unknown> {
  const { body } = await cast.call(cast.ada, 'POST', '/api/sync/push', { operations: operations.map((operation, index) => ({ opId: String(index), ...operation })) })
  return body.results as unknown
}

/** Contents that may be written must come back unchanged. */
export async function contents (cast: Cast): Promise<void> {
  const { sheet, ada, bob } = cast
  const phone = await cast.phone(ada)
  const his = await cast.phone(bob)
  for (const content of ['  spaces around  ', 'שלום עולם', '漢字かな', '👩‍👩‍👧‍👦 🏳️‍🌈', 'a\u0000b', '<b>&amp;</b>', '{"$gt": ""}', '$where', 'line\nline\r\n', '\u202eabc', 'x'.repeat(4_000), '😀'.repeat(4_000)]) {
    const what = `content ${JSON.stringify(content.slice(0, 20))} of ${[...content].length} characters`
    const ack = await phone.ask('sendDirectMessage', { receiverId: bob.id, content })
    sheet.is(`${what} is stored as given`, ack, { success: true, message: { message: content } })
    sheet.is(`${what} is delivered as given`, await his.wait('directMessage', { _id: ack?.message?._id as string }), { message: content })
    sheet.is(`${what} is fetched as given`, (await cast.call(bob, 'GET', `/api/messages/${ada.id}?limit=1`)).body.messages, [{ message: content }])
  }
  const to = { receiverId: bob.id, content: 'fine' }
  for (const [what, wrong] of Object.entries({
    'empty content': { content: '' },
    'blank content': { content: ' \n\t ' },
    'content of 4,001 characters': { content: 'x'.repeat(4_001) },
    'a message of the server\'s kind': { messageType: 'system' },
    'an unknown kind': { messageType: 'dance' },
    'an empty clientMessageId': { clientMessageId: '' },
    'a clientMessageId of 65': { clientMessageId: 'x'.repeat(65) },
    'an answer to nothing': { replyTo: noId }
  })) {
    sheet.is(`${what} is refused over REST`, await cast.call(ada, 'POST', '/api/messages', { ...to, ...wrong }), { status: 400, body: { success: false, code: 'VALIDATION', message: /./ } })
    sheet.is(`${what} is refused over a socket`, await phone.ask('sendDirectMessage', { ...to, ...wrong }), { success: false, code: 'VALIDATION', message: /./, retryable: false })
  }
  sheet.is('a clientMessageId of 64 is taken', await cast.call(ada, 'POST', '/api/messages', { ...to, clientMessageId: cast.name('m').padEnd(64, 'x') }), { status: 201 })
  sheet.is('nobody writes to themselves', await phone.ask('sendDirectMessage', { ...to, receiverId: ada.id }), { success: false, code: 'NOT_ALLOWED' })
  sheet.is('nobody writes to who is not there', await cast.call(ada, 'POST', '/api/messages', { ...to, receiverId: noId }), { status: 404, code: 'USER_NOT_FOUND' })
  const first = await cast.direct(ada, bob, 'a question')
  sheet.is('an answer names what it answers', await cast.call(bob, 'POST', '/api/messages', { receiverId: ada.id, content: 'an answer', replyTo: first._id as string }), { status: 201, body: { message: { replyTo: { _id: first._id as string } } } })
  const { path } = await cast.room({}, bob)
  sheet.is('an answer names nothing of another conversation', await cast.call(ada, 'POST', `${path}/messages`, { content: 'x', replyTo: first._id as string }), { status: 400 }, 6)
  sheet.is('a direct message has the fields that the first clients know', first, {
    senderId: { _id: ada.id, fullName: /./, username: /./ },
    receiverId: { _id: bob.id },
    message: 'a question',
    listingId: null,
    messageType: 'text',
    isRead: false,
    createdAt: /^\d{4}-.*Z$/,
    updatedAt: /Z$/,
    conversationId: dm(ada, bob),
    clientMessageId: null,
    replyTo: null,
    reactions: [],
    editedAt: null,
    isDeleted: false
  })
}
