import { type Cast, messagesIn, noId } from './cast.ts'

const refused = (code: string, status: number) => ({ status, code, body: { success: false, code } })
const notAllowed = refused('NOT_ALLOWED', 403)
const notFound = refused('NOT_FOUND', 404)

/** What each role may do in a room, and that all members receive the change. */
export async function roles (cast: Cast): Promise<void> {
  const { sheet, ada, bob, cid, eve } = cast
  const { roomId, conversationId, path } = await cast.room({ isPrivate: true })
  const [owner, his, third] = await Promise.all([cast.phone(ada, { live: true }), cast.phone(bob, { live: true }), cast.phone(cid, { live: true })])
  const of = (id: string) => `${path}/members/${id}`
  const nothing = await cast.call(eve, 'GET', `/api/rooms/${noId}`)
  for (const person of [bob, eve]) sheet.is('a private room answers like none to who is not in it', await cast.call(person, 'GET', path), { status: nothing.status, code: nothing.code }, 6)
  for (const id of [roomId, noId]) sheet.is('joining an unknown or a private room is answered alike', await his.ask('joinRoom', id), { success: false, code: 'NOT_FOUND' }, 6)

  sheet.is('the owner invites', await cast.call(ada, 'PUT', of(bob.id), { role: 'member' }), { status: 200, body: { success: true, member: { role: 'member', user: { _id: bob.id } } } })
  const invited = { conversationId: 'self', change: { kind: 'membership', conversationId, userId: bob.id, role: 'member' } }
  sheet.is('who is invited hears of it in the own log', await his.wait('conversationChanged', invited), invited)
  sheet.is('the members hear of it', await owner.wait('conversationChanged', { conversationId, change: { kind: 'membership', userId: bob.id, role: 'member' } }), { rev: 2 })
  for (const [what, method, where, body] of [
    ['change the settings', 'PATCH', path, { name: 'mine' }], ['invite', 'PUT', of(cid.id), {}], ['make themselves a moderator', 'PUT', of(bob.id), { role: 'moderator' }],
    ['remove the owner', 'DELETE', of(ada.id), undefined], ['ban', 'PUT', `${path}/bans/${cid.id}`, undefined], ['delete the room', 'DELETE', path, undefined]
  ] as const) sheet.is(`a member may not ${what}`, await cast.call(bob, method, where, body), notAllowed)

  const said = (await cast.call(ada, 'POST', `${path}/messages`, { content: 'of the owner' })).body.message as { _id: string }
  sheet.is('a member may not delete a message of another', await cast.call(bob, 'DELETE', `/api/messages/${said._id}`), notAllowed)
  sheet.is('a member may not edit a message of another', await cast.call(bob, 'PUT', `/api/messages/${said._id}`, { content: 'not mine' }), notAllowed)

  sheet.is('the owner names a moderator', await cast.call(ada, 'PUT', of(bob.id), { role: 'moderator' }), { status: 200, body: { member: { role: 'moderator' } } })
  sheet.is('a moderator changes the settings', await cast.call(bob, 'PATCH', path, { name: 'renamed' }), { status: 200, body: { room: { name: 'renamed', isPrivate: true } } })
  const renamed = await owner.wait('conversationChanged', { conversationId, change: { kind: 'meta', name: 'renamed' } })
  sheet.is('changed settings are told live', renamed, { conversationId, change: { kind: 'meta', name: 'renamed', isPrivate: true } })
  sheet.is('changed settings are in the sync', (await cast.sync(bob)).conversations.get(conversationId)?.changes.find(({ kind }) => kind === 'meta'), { name: 'renamed', rev: renamed?.rev as number })
  sheet.is('a moderator invites', await cast.call(bob, 'PUT', of(cid.id), {}), { status: 200 })
  sheet.is('a moderator deletes a message of anybody', await cast.call(bob, 'DELETE', `/api/messages/${said._id}`), { status: 200, body: { message: { isDeleted: true, message: '' } } })
  for (const [what, method, where, body] of [
    ['name moderators', 'PUT', of(cid.id), { role: 'moderator' }], ['remove the owner', 'DELETE', of(ada.id), undefined], ['ban the owner', 'PUT', `${path}/bans/${ada.id}`, undefined], ['delete the room', 'DELETE', path, undefined]
  ] as const) sheet.is(`a moderator may not ${what}`, await cast.call(bob, method, where, body), notAllowed)

  sheet.is('a moderator removes a member', await cast.call(bob, 'DELETE', of(cid.id)), { status: 200 })
  sheet.is('who is removed hears of it in the own log', await third.wait('conversationChanged', { conversationId: 'self', change: { kind: 'membership', conversationId, role: null } }), { conversationId: 'self' })
  const behind = (await cast.call(ada, 'POST', `${path}/messages`, { content: 'behind them' })).body.message as { _id: string }
  await owner.wait('roomMessage', { _id: behind._id })
  await third.settle()
  sheet.is('who was removed hears nothing more', [...third.all('roomMessage', { _id: behind._id }), ...third.all('noop', { conversationId })].slice(0, 1), [], 6)
  for (const [method, where, body] of [['GET', `${path}/messages`], ['POST', `${path}/messages`, { content: 'still here' }], ['PUT', of('me'), {}], ['GET', path]] as const) {
    sheet.is(`${method} of a private room after the removal`, await cast.call(cid, method, where, body), notFound, 6)
  }

  sheet.is('the owner does not leave before the others', await cast.call(ada, 'DELETE', of('me')), notAllowed)
  sheet.is('the owner hands the room over', await cast.call(ada, 'PUT', of(bob.id), { role: 'owner' }), { status: 200, body: { member: { role: 'owner' } } })
  const { members } = (await cast.call(ada, 'GET', `${path}/members`)).body as { members: Array<{ user: { _id: string }, role: string }> }
  sheet.is('a room has one owner', Object.fromEntries(members.map(({ user, role }) => [user._id, role])), { [bob.id]: 'owner', [ada.id]: 'moderator', [cid.id]: undefined })
  sheet.is('who was the owner leaves', await cast.call(ada, 'DELETE', of('me')), { status: 200 })
  sheet.is('who has left sends nothing', await owner.ask('sendRoomMessage', { roomId, content: 'still here' }), { success: false, code: 'NOT_FOUND' })
  sheet.is('the owner deletes the room', await cast.call(bob, 'DELETE', path), { status: 200, body: { success: true } })
  sheet.is('a deleted room is not there', await cast.call(bob, 'GET', path), notFound)
  sheet.is('a deleted room cannot be joined again', await his.ask('joinRoom', roomId), { success: false, code: 'NOT_FOUND' })
  const after = await cast.sync(bob)
  sheet.that('a deleted room is in no sync', !after.conversations.has(conversationId), [...after.conversations.keys()])
}

/** Public rooms: the first user to name an id opens the room, and bans keep users out. */
export async function publicRooms (cast: Cast): Promise<void> {
  const { sheet, ada, bob } = cast
  const roomId = cast.name('kit-open')
  const path = `/api/rooms/${roomId}`
  const [owner, his] = await Promise.all([cast.phone(ada), cast.phone(bob)])
  sheet.is('joining an id of one\'s own opens a room', await owner.ask('joinRoom', roomId), { success: true })
  sheet.is('it is public, and belongs to who opened it', await cast.call(ada, 'GET', path), { status: 200, body: { room: { roomId, isPrivate: false, role: 'owner', memberCount: 1 } } })
  sheet.is('a room whose id a client chose stays public', await cast.call(ada, 'PATCH', path, { isPrivate: true }), notAllowed)
  sheet.is('a field that is not known is refused by name', await cast.call(ada, 'PATCH', path, { private: true }), { status: 400, code: 'VALIDATION', body: { message: /private/ } })
  for (const step of ['.', '..']) sheet.is('a step of a path is no id of a room', await owner.ask('joinRoom', step), { success: false, code: 'VALIDATION' })
  sheet.is('sending to a public room needs membership', await cast.call(bob, 'POST', `${path}/messages`, { content: 'from outside' }), notAllowed)
  sheet.is('a public room is joined by anybody', await his.ask('joinRoom', roomId), { success: true })
  sheet.is('joinRoom is answered by joinedRoom', await his.wait('joinedRoom', { roomId }), { roomId, success: true })
  sheet.is('joining makes a member', await cast.call(bob, 'GET', path), { body: { room: { role: 'member', memberCount: 2 } } })

  sheet.is('leaveRoom ends live delivery', await his.ask('leaveRoom', roomId), { success: true })
  const first = (await cast.call(ada, 'POST', `${path}/messages`, { content: 'not live for him' })).body.message as { _id: string }
  await owner.wait('roomMessage', { _id: first._id })
  await his.settle()
  sheet.is('a socket that left gets nothing live', his.all('roomMessage', { _id: first._id }), [])
  sheet.is('who left live delivery is still a member', await cast.call(bob, 'GET', `${path}/messages`), { status: 200 })

  sheet.is('the owner bans', await cast.call(ada, 'PUT', `${path}/bans/${bob.id}`), { status: 200 })
  sheet.is('who is banned does not join again over a socket', await his.ask('joinRoom', roomId), { success: false, code: 'NOT_ALLOWED' })
  sheet.is('who is banned does not join again over REST', await cast.call(bob, 'PUT', `${path}/members/me`, {}), notAllowed)
  sheet.is('who is banned does not send', await his.ask('sendRoomMessage', { roomId, content: 'banned' }), { success: false, code: 'NOT_ALLOWED' })
  sheet.is('bans are listed', await cast.call(ada, 'GET', `${path}/bans`), { status: 200, body: { users: [{ _id: bob.id }] } })
  sheet.is('a ban is lifted', await cast.call(ada, 'DELETE', `${path}/bans/${bob.id}`), { status: 200 })
  sheet.is('then they may join again', await his.ask('joinRoom', roomId), { success: true })
}

/** If everybody has left a room, the next user to enter owns it, without its past. */
export async function abandonedRooms (cast: Cast): Promise<void> {
  const { sheet, ada, eve } = cast
  const { conversationId, path } = await cast.room({ history: 'joined' })
  const old = (await cast.call(ada, 'POST', `${path}/messages`, { content: 'before all left' })).body.message as { _id: string }
  sheet.is('the last member leaves', await cast.call(ada, 'DELETE', `${path}/members/me`), { status: 200 })
  sheet.is('a public room that everybody has left can be entered', await cast.call(eve, 'PUT', `${path}/members/me`, {}), { status: 200, body: { member: { role: 'owner' } } })
  sheet.is('the new owner changes the settings', await cast.call(eve, 'PATCH', path, { history: 'all' }), { status: 200, body: { room: { history: 'all', role: 'owner', memberCount: 1 } } })
  await cast.call(eve, 'POST', `${path}/messages`, { content: 'of the new owner' })
  const page = (await cast.call(eve, 'GET', `${path}/messages`)).body.messages as Array<{ message: string }>
  sheet.is('the past of an abandoned room stays closed, in the history', page.map(({ message }) => message), ['of the new owner'], 6)
  sheet.is('the past of an abandoned room stays closed, in a sync', messagesIn((await cast.sync(eve)).conversations.get(conversationId)), ['of the new owner'], 6)
  sheet.is('the past of an abandoned room is not found', await cast.call(eve, 'GET', `/api/messages/search?q=before&conversationId=${conversationId}`), { status: 200, body: { messages: [] } }, 6)
  sheet.is('the past of an abandoned room cannot be reacted to', await cast.call(eve, 'PUT', `/api/messages/${old._id}/reactions/${encodeURIComponent('👍')}`), { status: 404 }, 6)
}
