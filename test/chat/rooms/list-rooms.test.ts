import t from 'tap'
import { fillRoomNames, listRooms } from '../../../src/chat/rooms/list-rooms.ts'
import { type RoomOrder, readPlace } from '../../../src/chat/rooms/room-order.ts'
import { foldedText } from '../../../src/lib/folded-text.ts'
import type { Room } from '../../../src/schemas/room.ts'
import { startApp } from '../../helpers/app.ts'
import { newPerson } from '../../helpers/people.ts'

const started = await startApp(t, { RATE_LIMIT_SENDS: '0' })
const { app: { chat }, as } = started
const [ann, bob, eve] = [await newPerson(started), await newPerson(started), await newPerson(started)]
type Person = typeof ann
const open = async (owner: Person, body: object): Promise<Room> => (await as(owner)('POST', '/rooms', body)).body.room
const names = (rooms: readonly Room[]) => rooms.map(({ name }) => name)

// Names that sort otherwise by UTF-16 than by their bytes, equal ones, and ones that differ in case and accents alone.
const given = ['Öl', 'ol', 'Zebra', 'apple', 'Äpfel', '\u{ffee}', '🎉', 'same', 'same', 'Same', 'Straße', 'STRASSENFEST']
const rooms: Room[] = []
for (const [index, name] of given.entries()) {
  rooms.push(await open(index % 2 === 0 ? ann : bob, { name, isPrivate: index % 3 === 0 }))
}
for (const index of [4, 1, 4, 7, 10]) {
  const { roomId, isPrivate } = rooms[index]!
  if (isPrivate) continue
  await as(eve)('PUT', `/rooms/${roomId}/members/me`)
  await as(eve)('POST', `/rooms/${roomId}/messages`, { content: 'hello' })
}

/** All pages, read `limit` rooms at a time. */
async function allPages (person: Person, order: RoomOrder, limit: number, search?: string): Promise<Room[]> {
  const found: Room[] = []
  for (let cursor: string | undefined; ;) {
    const input = { order, limit, ...(search === undefined ? {} : { search }) }
    const page = await listRooms(chat, person.identity, cursor === undefined ? input : { ...input, cursor })
    found.push(...page.rooms)
    t.ok(page.rooms.length <= limit)
    if (!page.hasMore) return found
    cursor = page.cursor!
  }
}

t.test('in every order and page size, each public room and each of your own is listed once', async t => {
  for (const person of [ann, bob, eve]) {
    const visible = (await allPages(person, 'id', 50)).map(({ roomId }) => roomId)
    const own = rooms.filter(({ isPrivate }, index) => !isPrivate || (index % 2 === 0 ? ann : bob) === person)
    t.same([...visible].sort(), own.map(({ roomId }) => roomId).sort())
    for (const order of ['id', 'name', 'members', 'active'] as const) {
      const whole = (await allPages(person, order, 50)).map(({ roomId }) => roomId)
      t.same([...whole].sort(), [...visible].sort(), order)
      for (const limit of [1, 2, 3, 5]) {
        t.same((await allPages(person, order, limit)).map(({ roomId }) => roomId), whole, `${order} by ${limit}`)
      }
    }
  }
})

t.test('names are ordered ignoring case and accents; most members and latest messages come first', async t => {
  const byName = (await allPages(ann, 'name', 50)).map(({ name }) => foldedText(name))
  t.same(byName, [...byName].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
  const counts = (await allPages(ann, 'members', 50)).map(({ memberCount }) => memberCount)
  t.same(counts, [...counts].sort((a, b) => b - a))
  t.same(names(await allPages(eve, 'active', 50)).slice(0, 4), ['Straße', 'same', 'Äpfel', 'ol'])
  await as(eve)('POST', `/rooms/${rooms[1]!.roomId}/messages`, { content: 'again' })
  t.equal((await allPages(eve, 'active', 1))[0]?.name, 'ol')
})

t.test('a search finds a part of the name, however it is typed, and nothing that you may not see', async t => {
  const shown = rooms.slice(7, 10).filter(({ isPrivate }, index) => !isPrivate || index % 2 === 0)
  t.same(names(await allPages(bob, 'name', 50, 'SAME')).sort(), names(shown).sort())
  t.same(names(await allPages(bob, 'name', 1, ' strasse ')), ['Straße', 'STRASSENFEST'])
  t.same(names(await allPages(bob, 'name', 50, 'apfel')), ['Äpfel'])
  t.same(names(await allPages(eve, 'name', 50, 'zebra')), ['Zebra'])
  t.same(await allPages(eve, 'id', 50, 'nothing of the kind'), [])
  const secret = await open(ann, { name: 'Geheim', isPrivate: true })
  const found = async (person: Person) => names(await allPages(person, 'active', 50, 'geheim'))
  t.same([await found(ann), await found(eve)], [['Geheim'], []])
  await as(ann)('PATCH', `/rooms/${secret.roomId}`, { name: 'Öffentlich', isPrivate: false })
  t.same(names(await allPages(eve, 'name', 50, 'offen')), ['Öffentlich'], 'a new name counts at once')
  await as(ann)('DELETE', `/rooms/${secret.roomId}`)
  t.same(await allPages(ann, 'name', 50, 'offen'), [])
})

t.test('a room without a name key gets one at the next start, and is listed before that too', async t => {
  const { heads } = chat.log.collections
  const { roomId, conversationId } = await open(bob, { name: 'Ältestenrat' })
  await heads.updateOne({ _id: conversationId }, { $unset: { nameKey: '' } })
  const isListed = async () => (await allPages(eve, 'name', 2, 'altesten')).some(room => room.roomId === roomId)
  t.ok(await isListed())
  await fillRoomNames(chat)
  t.equal((await heads.findOne({ _id: conversationId }))?.nameKey, 'altestenrat')
  t.ok(await isListed())
})

t.test('over REST a list has an order and a search, and refuses broken cursors and those of another order', async t => {
  const list = async (query: string) => await as(eve)('GET', `/rooms?${query}`)
  const first = await list('order=name&limit=1&search=strasse')
  t.match(first, { status: 200, body: { rooms: [{ name: 'Straße' }], hasMore: true, cursor: String } })
  const next = `limit=1&search=strasse&cursor=${first.body.cursor}`
  t.match((await list(`${next}&order=name`)).body.rooms, [{ name: 'STRASSENFEST' }])
  for (const order of ['members', 'active']) {
    t.match(await list(`${next}&order=${order}`), { status: 400, body: { code: 'BAD_CURSOR' } })
  }
  t.match(await list('order=size'), { status: 400, body: { code: 'VALIDATION' } })
  const texts = [
    'null', '["name"]', '["name",{},"x"]', '["members",1.5,"x"]', '["active",9e15,"x"]', '["name","a","x",1]'
  ]
  for (const cursor of ['x', ...texts.map(text => Buffer.from(text).toString('base64url'))]) {
    for (const order of ['name', 'members', 'active'] as const) {
      t.throws(() => readPlace(order, cursor), { code: 'BAD_CURSOR' })
    }
  }
})
