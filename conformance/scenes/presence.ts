import { type Cast, noId } from './cast.ts'

/** Presence reaches users who subscribed to it and may see it. */
export async function presence (cast: Cast): Promise<void> {
  const { sheet, bob, cid, eve } = cast
  const dan = await cast.somebody()
  if (dan === undefined) return sheet.skip('presence needs somebody who was not connected yet, and nobody can register')
  await cast.direct(dan, bob, 'hello')
  await cast.direct(dan, cid, 'hello')
  const [watching, silent, stranger] = await Promise.all([cast.phone(bob, { live: true }), cast.phone(cid, { live: true }), cast.phone(eve, { live: true })])
  const first = await watching.ask('subscribePresence', { userIds: [dan.id] })
  sheet.is('a subscription is answered with the present state', first, { success: true, presence: [{ userId: dan.id, status: 'offline' }] })
  sheet.is('of somebody with whom one shares no conversation there is no presence, as of nobody', await stranger.ask('subscribePresence', { userIds: [dan.id, noId] }), { success: true, presence: [] }, 6)

  const his = await cast.phone(dan)
  sheet.is('who subscribed is told that somebody came', await watching.wait('presence', { userId: dan.id, status: 'online' }), { userId: dan.id, status: 'online', lastActiveAt: /^\d{4}-/ })
  sheet.is('somebody who is there is online', await watching.ask('subscribePresence', { userIds: [dan.id] }), { presence: [{ userId: dan.id, status: 'online' }] })
  await cast.call(dan, 'PUT', `/api/users/${cid.id}/block`)
  sheet.is('who was blocked is told nothing', await silent.ask('subscribePresence', { userIds: [dan.id] }), { success: true, presence: [] }, 6)

  const mark = watching.mark
  his.socket.disconnect()
  sheet.is('who subscribed is told that somebody went', await waitLong(cast, async () => await watching.wait('presence', { userId: dan.id, status: 'offline' }, mark)), { status: 'offline' })
  await silent.settle()
  await stranger.settle()
  sheet.is('who did not subscribe, or may not know, is told of nobody', [...silent.all('presence'), ...stranger.all('presence')], [], 6)
}

/** A deployment may show a user as online for a while after they left. */
async function waitLong<T> (cast: Cast, once: () => Promise<T>): Promise<T> {
  const until = Date.now() + 2.5 * cast.patienceMs
  for (;;) {
    const found = await once()
    if (found !== undefined || Date.now() > until) return found
  }
}
