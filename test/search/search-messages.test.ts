import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { setBlock } from '../../src/chat/conversations/block-user.ts'
import { changeSettings } from '../../src/chat/conversations/change-settings.ts'
import { deleteMessage } from '../../src/chat/messages/delete-message.ts'
import { editMessage } from '../../src/chat/messages/edit-message.ts'
import { sendTo } from '../../src/chat/messages/send-to.ts'
import { sendRoom } from '../../src/chat/messages/send-room.ts'
import { createRoom } from '../../src/chat/rooms/room.ts'
import { prepareJoin } from '../../src/chat/rooms/join-room.ts'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { isShown } from '../../src/chat/rules/view.ts'
import { deletePurgedRows } from '../../src/log/delete-purged.ts'
import type { Follower } from '../../src/log/follower.ts'
import { type LogRow, revOf, seqOf } from '../../src/log/model/types.ts'
import { Positions, positionCollection } from '../../src/log/positions.ts'
import { changesAfter, pageEndRev } from '../../src/log/read/page.ts'
import { type SearchIndex, ensureSearchIndex, searchIndex } from '../../src/search/collections.ts'
import { indexMessages } from '../../src/search/index-messages.ts'
import { ownConversations } from '../../src/search/own-conversations.ts'
import { comparePlaces, placeOf } from '../../src/search/place.ts'
import { matchesFilters, matchesText, queryOf } from '../../src/search/query.ts'
import { searchMessages } from '../../src/search/search-messages.ts'
import type { SearchQuery } from '../../src/schemas/message.ts'
import { startApp } from '../helpers/app.ts'
import { type TestPerson, newPerson } from '../helpers/people.ts'
import { storedTerms } from '../helpers/search-index.ts'

// Without a follower: the test itself moves the index on, conversation by conversation.
const test = await startApp(t, { SEARCH: 'off', RATE_LIMIT_SEARCH: '0', RATE_LIMIT_SENDS: '0' })
const { chat, messageSearch, mongo } = test.app
await ensureSearchIndex(mongo.db!)
const positions = new Positions(positionCollection(mongo.db!), 'test')
const follower = { handledOf: heads => positions.of(heads, true) } as Pick<Follower, 'handledOf'> as Follower
const small = { chunksMax: 3, segmentsAtOnce: 2, rowsAtFirst: 1, rowsAtOnce: 2, rowsMax: 6, charsMax: 200 }
const index: SearchIndex = {
  ...searchIndex(mongo.db!),
  sizes: { segmentMax: 8, tailMax: 2, joinFactor: 2, chunkBytes: 60, seqsBetweenTimes: 3 }
}

/** Three users, without the time that a password takes. */
async function newPeople (): Promise<readonly [TestPerson, TestPerson, TestPerson]> {
  const rows = ['ann', 'bob', 'cid'].map(name => {
    const _id = new ObjectId()
    return { _id, fullName: name, username: `${name}_${_id.toHexString()}` }
  })
  await chat.collections.users.insertMany(rows)
  const [ann, bob, cid] = rows.map((user): TestPerson => {
    const id = user._id.toHexString()
    return { id, token: '', identity: { userId: id, id: user._id, user, isAdmin: false, sessionId: 'test' } }
  })
  return [ann!, bob!, cid!]
}

/** Indexes at most `count` changes of a conversation. */
async function indexSome (conversationId: string, count: number): Promise<void> {
  const head = await chat.log.head(conversationId)
  if (head === undefined) return
  const from = (await positions.of([head], true)).get(conversationId)!
  if (head.headRev <= from) return
  const page = await changesAfter(chat.log.collections, conversationId, from, count)
  const to = pageEndRev(page, head, from)
  await indexMessages(index, [{ head, rows: page.rows.map(row => row.decode()), from, to }])
  await positions.move([{ conversationId, from, to }])
}

/** What a search must find: every row that the caller is shown and that matches, the newest first. */
async function bruteForce (person: TestPerson, input: SearchQuery): Promise<string[]> {
  const own = await ownConversations(chat, person.identity, input.conversationId)
  const query = queryOf(input)
  const rows: LogRow[] = await chat.log.collections.rows.find({ conversationId: { $in: [...own.keys()] } }).toArray()
  return rows
    .filter(row => row.kind === 'message' && isShown(own.get(row.conversationId)!.view, row) &&
      matchesFilters(query, row) && matchesText(query, row.message ?? ''))
    .sort((a, b) => comparePlaces(placeOf(a), placeOf(b))).map(({ _id }) => _id.toHexString())
}

/** Every page of a search. */
async function all (
  person: TestPerson, input: SearchQuery, bounds: typeof messageSearch.bounds
): Promise<{ ids: string[], isOrdered: boolean }> {
  const ids: string[] = []
  let isOrdered = true
  let cursor: string | undefined
  for (let pages = 0; ; pages++) {
    if (pages > 2_000) throw new Error(`The search does not end: ${JSON.stringify({ input, cursor })}`)
    const page = await searchMessages(
      { ...messageSearch, follower, bounds }, person.identity, { ...input, ...(cursor === undefined ? {} : { cursor }) }
    )
    isOrdered &&= page.indexing !== true
    ids.push(...page.messages.map(({ _id }) => _id))
    if (page.messages.length > (input.limit ?? 20)) throw new Error('The page is too long')
    if (page.cursor === null) return { ids, isOrdered }
    if (page.cursor === cursor) throw new Error('The cursor does not move')
    cursor = page.cursor
  }
}

const words = [
  'tide', 'tides', 'tidal', 'log', 'Café', 'au', 'lait', '京都', '東京都', '京', '학교', '학교에', 'مرحبا', '🎉',
  'https://example.org'
]
const text = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 5 }).map(some => some.join(' '))
const place = fc.nat(2)
const who = fc.nat(2)
const operation = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constant('send' as const), place, who, text }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('edit' as const), place, at: fc.nat(), text }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('delete' as const), place, at: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('index' as const), place, count: fc.integer({ min: 1, max: 6 }) })
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('block' as const), who, whom: who, on: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('purge' as const), place, at: fc.nat(), collects: fc.boolean() })
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('narrow' as const), place, who, at: fc.nat(), clears: fc.boolean() })
  }
)
const search = fc.record({
  who,
  q: fc.oneof(
    fc.array(
      fc.constantFrom(...words, 'tid', 'caf', 'ex', '학'), { minLength: 1, maxLength: 3 }
    ).map(some => some.join(' ')),
    fc.array(fc.constantFrom(...words), { minLength: 2, maxLength: 2 }).map(some => `"${some.join(' ')}"`)
  ),
  filter: fc.constantFrom('none', 'from', 'before', 'after', 'has', 'place'),
  at: fc.nat(),
  limit: fc.integer({ min: 1, max: 5 }),
  isSmall: fc.boolean()
})

/** TIDELOG_RUNS checks more of them. */
const runs = Number(process.env['TIDELOG_RUNS'] ?? 15)

t.test('I8 a search finds what a look at every message would find, however far the index has come', async t => {
  await fc.assert(fc.asyncProperty(fc.array(
    operation, { minLength: 5, maxLength: 40 }
  ), fc.array(search, { minLength: 6, maxLength: 6 }), async (operations, searches) => {
    const people = await newPeople()
    const [ann, bob, cid] = people
    const rooms = await Promise.all((['all', 'joined'] as const).map(async history => (await createRoom(
      chat, ann.identity, { name: 'r', history }
    )).roomId))
    await (await prepareJoin(chat, bob.identity, rooms[0]!))()
    const places = [...rooms.map(roomId => `room_${roomId}`), directId(ann.id, bob.id)]
    const sent: Array<Array<{ id: string, seq: number, by: TestPerson }>> = [[], [], []]
    for (const [index, one] of operations.entries()) {
      // Two people join a room in the middle of its history.
      if (index === 10) for (const person of [bob, cid]) await (await prepareJoin(chat, person.identity, rooms[1]!))()
      await apply(one)
    }
    for (const { who, q, filter, at, limit, isSmall } of searches) {
      const any = sent.flat()
      const some = any.length === 0 ? undefined : any[at % any.length]!
      const created = some === undefined
        ? undefined
        : (
            await chat.log.collections.rows.findOne({ _id: new ObjectId(some.id) })
          )?.createdAt.toISOString()
      const input: SearchQuery = {
        q,
        limit,
        ...(filter === 'from' ? { from: people[at % 3]!.id } : filter === 'has' ? { has: 'link' as const } : {}),
        ...(created !== undefined && (filter === 'before' || filter === 'after') ? { [filter]: created } : {}),
        ...(filter === 'place' ? { conversationId: places[at % 2 === 0 && who !== 2 ? 0 : who === 2 ? 1 : 2]! } : {})
      }
      if (operations.length <= 10 && who === 2 && filter === 'place') continue
      const expected = await bruteForce(people[who]!, input)
      const { ids, isOrdered } = await all(people[who]!, input, isSmall ? small : messageSearch.bounds)
      // What was looked through before it was indexed may come again.
      const same = isOrdered ? [ids, expected] : [[...new Set(ids)].sort(), [...expected].sort()]
      if (JSON.stringify(same[0]) !== JSON.stringify(same[1])) {
        throw new Error(JSON.stringify({
          who,
          input,
          isSmall,
          found: same[0],
          expected: same[1]
        }))
      }
    }

    async function apply (one: (typeof operations)[number]): Promise<void> {
      switch (one.op) {
        case 'send': {
          const by = people[one.place === 2 ? one.who % 2 : one.who]!
          const say = one.place === 2
            ? sendTo(chat, by.identity, { receiverId: (by === ann ? bob : ann).id, content: one.text })
            : sendRoom(chat, by.identity, { roomId: rooms[one.place]!, content: one.text })
          const { message } = await say.then(sent => sent, () => ({ message: undefined }))
          if (message !== undefined) sent[one.place]!.push({ id: message._id, seq: message.seq, by })
          return
        }
        case 'edit': case 'delete': {
          const message = sent[one.place]![one.at % Math.max(1, sent[one.place]!.length)]
          if (message === undefined) return
          const { id: messageId, by: { identity } } = message
          await (one.op === 'edit'
            ? editMessage(
              chat, identity, { messageId, content: one.text }
            )
            : deleteMessage(chat, identity, { messageId })).catch(() => {})
          return
        }
        case 'index': return await indexSome(places[one.place]!, one.count)
        case 'block': {
          if (one.who !== one.whom) await setBlock(chat, people[one.who]!.identity, people[one.whom]!.id, one.on)
          return
        }
        case 'purge': {
          const through = sent[one.place]![one.at % Math.max(1, sent[one.place]!.length)]?.seq
          if (through === undefined || one.at % 3 !== 0) return
          await chat.log.commit({
            mutations: [{
              type: 'purge',
              conversationId: places[one.place]!,
              throughSeq: seqOf(through)
            }]
          })
          const head = (await chat.log.head(places[one.place]!))!
          if (one.collects) await deletePurgedRows(chat.log.collections, head, { forget: messageSearch.forget })
          return
        }
        case 'narrow': {
          const seq = sent[one.place]![one.at % Math.max(1, sent[one.place]!.length)]?.seq
          if (seq === undefined || one.at % 3 !== 0) return
          await changeSettings(
            chat, people[one.who]!.identity, places[one.place]!,
            one.clears ? { clearThroughSeq: seq } : { hideSeqs: [seq] }
          ).catch(() => {})
        }
      }
    }
  }), { numRuns: runs, endOnFailure: true })
  t.pass()
})

t.test('terms of an earlier rev never replace those of a later one, and a deleted message has none', async t => {
  const [ann, bob] = [await newPerson(test), await newPerson(test)]
  const { message: { _id } } = await sendTo(chat, ann.identity, { receiverId: bob.id, content: 'first' })
  const read = async () => (await chat.log.collections.rows.findOne({ _id: new ObjectId(_id) }))!
  const terms = async () => (await storedTerms(index, directId(ann.id, bob.id))).get(1)
    ?.filter(term => !term.startsWith(':'))
  const write = async (row: LogRow) => {
    const head = (await chat.log.head(row.conversationId))!
    await indexMessages(index, [{ head, rows: [row], from: revOf(0), to: row.rev }])
  }
  const first = await read()
  await editMessage(chat, ann.identity, { messageId: _id, content: 'new' })
  const second = await read()
  await write(second)
  await write(first)
  t.same(await terms(), ['new'])
  await deleteMessage(chat, ann.identity, { messageId: _id })
  await write(await read())
  await write(second)
  t.equal(await terms(), undefined)
})

t.test('a search begins again if a segment that it knows was replaced', async t => {
  const [ann, bob] = [await newPerson(test), await newPerson(test)]
  const conversationId = directId(ann.id, bob.id)
  const say = (content: string) => sendTo(chat, ann.identity, { receiverId: bob.id, content })
  const found = async () => (await all(ann, { q: 'tide' }, messageSearch.bounds)).ids.length
  for (const content of ['tide 1', 'tide 2']) await say(content)
  await indexSome(conversationId, 10)
  t.equal(await found(), 2)
  await chat.log.commit({ mutations: [{ type: 'purge', conversationId, throughSeq: seqOf(1) }] })
  await messageSearch.forget(conversationId, seqOf(1))
  t.equal(await found(), 1)
})
