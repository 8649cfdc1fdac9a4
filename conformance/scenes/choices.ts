import { type Cast, dm } from './cast.ts'
import type { Payload } from './phone.ts'

/** A live socket that names its conversations. */
export async function namedLive (cast: Cast): Promise<void> {
  const { sheet, ada, bob } = cast
  const [one, other] = [await cast.room({ isPrivate: true }, bob), await cast.room({ isPrivate: true }, bob)]
  const direct = dm(ada, bob)
  await cast.direct(ada, bob, 'there is one')
  const phone = await cast.phone(bob)
  const setUp = await phone.ask('setupUser', { live: true, only: [one.conversationId] })
  sheet.is(
    'the answer has the heads of what is named, and of the own log',
    Object.keys(setUp?.heads as object ?? {}).sort(), [one.conversationId, 'self'].sort()
  )
  const everywhere = async (content: string) => {
    await cast.call(ada, 'POST', `${other.path}/messages`, { content })
    await cast.direct(ada, bob, content)
    await cast.call(ada, 'POST', `${one.path}/messages`, { content })
  }
  const heard = (content: string) =>
    phone.heard.flatMap(({ payload }) => payload?.message === content ? [payload.conversationId as string] : [])
  await everywhere('first')
  await phone.wait('roomMessage', { message: 'first' })
  sheet.is('a socket gets what it named, and nothing else', heard('first'), [one.conversationId])
  await cast.call(bob, 'PATCH', `/api/conversations/${other.conversationId}`, { pinned: true })
  const own = { conversationId: 'self', change: { kind: 'settings', conversationId: other.conversationId } }
  sheet.is('the own log comes always', await phone.wait('conversationChanged', own), own)
  const third = await cast.room({ isPrivate: true }, bob)
  const joined = { conversationId: 'self', change: { kind: 'membership', conversationId: third.conversationId } }
  sheet.is('the own log tells of a new conversation', await phone.wait('conversationChanged', joined), joined)
  await cast.call(ada, 'POST', `${third.path}/messages`, { content: 'in the third' })
  await phone.ask('setupUser', { live: true, only: [direct] })
  await everywhere('second')
  await phone.wait('directMessage', { message: 'second' })
  await phone.settle()
  sheet.is('a new conversation that was not named does not come live', heard('in the third'), [])
  sheet.is('naming again replaces the list', heard('second'), [direct])
  await phone.ask('setupUser', { live: true })
  await everywhere('third')
  await phone.wait('roomMessage', { conversationId: one.conversationId, message: 'third' })
  sheet.is('naming none brings all', heard('third'), [other.conversationId, direct, one.conversationId])
  const many = Array.from({ length: 1_001 }, (_, index) => `room_${index}`)
  sheet.is(
    'too many names are refused',
    await phone.ask('setupUser', { live: true, only: many }), { success: false, code: 'VALIDATION' }
  )
  for (const { path } of [one, other, third]) await cast.call(ada, 'DELETE', path)
}

/** Who somebody is: in memberships, in reactions, and when a name changes. */
export async function people (cast: Cast): Promise<void> {
  const { sheet, ada, bob, cid } = cast
  const { conversationId, path } = await cast.room({}, cid)
  const phone = await cast.phone(ada, { live: true })
  const before = await cast.sync(ada)
  await cast.call(bob, 'PUT', `${path}/members/me`)
  const user = { _id: bob.id, username: /./ }
  const joined = { conversationId, change: { kind: 'membership', role: 'member', user } }
  sheet.is('a membership names its user live', await phone.wait('conversationChanged', { conversationId }), joined)
  const synced = (await cast.sync(ada, before.cursors)).conversations.get(conversationId)?.changes
  sheet.is('a membership names its user in a sync', synced, [joined.change])

  const { body: { message } } = await cast.call(ada, 'POST', `${path}/messages`, { content: 'a popular one' })
  const reactions = `/api/messages/${String(message._id)}/reactions/${encodeURIComponent('🎉')}`
  for (const person of [bob, cid]) await cast.call(person, 'PUT', reactions)
  const found: string[] = []
  let cursor = ''
  for (let pages = 0; pages < 3; pages++) {
    const { body } = await cast.call(ada, 'GET', `${reactions}?limit=1${cursor}`)
    found.push(...(body.users as Payload[] ?? []).map(({ _id }) => String(_id)))
    if (body.hasMore !== true) break
    cursor = `&cursor=${String(body.cursor)}`
  }
  sheet.is('everybody who reacted comes in pages, each once', found, [bob.id, cid.id].sort())

  const somebody = await cast.somebody()
  if (somebody === undefined) return sheet.skip('a new name: no user may be renamed')
  await cast.call(somebody, 'PUT', `${path}/members/me`)
  const fullName = cast.name('Renamed')
  await cast.call(somebody, 'PATCH', '/api/users/me', { fullName })
  const renamed = { user: { _id: somebody.id, fullName } }
  sheet.is('who shares a room is told of a new name', await phone.wait('userChanged', renamed), renamed)
  const asked = await cast.call(cid, 'GET', `/api/users?ids=${somebody.id},${ada.id}`)
  sheet.is(
    'users are fetched by their ids, in that order',
    asked, { status: 200, body: { users: [{ _id: somebody.id, fullName }, { _id: ada.id }] } }
  )
  await cast.call(ada, 'DELETE', path)
}

/** What a room says of itself, and how it is found. */
export async function findableRooms (cast: Cast): Promise<void> {
  const { sheet, ada, bob, cid, eve } = cast
  const word = cast.name('Größe').replaceAll('.', '')
  const cafe = await cast.room({ name: `${word} Café`, topic: 'Coffee' }, bob, cid)
  const bar = await cast.room({ name: `${word} Bar` }, bob)
  const hidden = await cast.room({ name: `${word} Arche`, isPrivate: true })
  const other = await cast.room({ name: cast.name('Elsewhere') })
  const names = async (query: string, person = eve): Promise<string[]> => {
    const found: string[] = []
    for (let pages = 0, cursor = ''; pages < 500; pages++) {
      const { body } = await cast.call(person, 'GET', `/api/rooms?${query}&limit=1${cursor}`)
      found.push(...(body.rooms as Payload[] ?? []).map(({ name }) => String(name).slice(word.length + 1)))
      if (body.hasMore !== true) break
      cursor = `&cursor=${String(body.cursor)}`
    }
    return found
  }
  const search = `search=${encodeURIComponent(word.toUpperCase().normalize('NFD'))}`
  sheet.is(
    'rooms are found by name, whatever its case and accents',
    await names(`${search}&order=name`), ['Bar', 'Café']
  )
  sheet.is(
    'a private room is found by its members alone',
    await names(`${search}&order=name`, ada), ['Arche', 'Bar', 'Café'], 6
  )
  sheet.is('rooms are sorted by members', await names(`${search}&order=members`), ['Café', 'Bar'])
  await cast.call(ada, 'POST', `${bar.path}/messages`, { content: 'hello' })
  sheet.is('rooms are sorted by their last message', await names(`${search}&order=active`), ['Bar', 'Café'])

  const phone = await cast.phone(bob, { live: true })
  const about = { topic: null, description: 'Tea,\ntoo', picture: 'https://example.org/cafe.png' }
  sheet.is(
    'a room says what it is about',
    await cast.call(eve, 'GET', cafe.path),
    { status: 200, body: { room: { topic: 'Coffee', description: null, picture: null } } }
  )
  sheet.is(
    'topic, description and picture are changed',
    await cast.call(ada, 'PATCH', cafe.path, about), { status: 200, body: { room: about } }
  )
  const told = { conversationId: cafe.conversationId, change: { kind: 'meta', ...about } }
  sheet.is(
    'members are told of them live',
    await phone.wait('conversationChanged', { conversationId: cafe.conversationId }), told
  )
  sheet.is(
    'a member may not change them',
    await cast.call(bob, 'PATCH', cafe.path, { topic: 'mine' }), { status: 403, code: 'NOT_ALLOWED' }
  )
  for (const { path } of [cafe, bar, hidden, other]) await cast.call(ada, 'DELETE', path)
}
