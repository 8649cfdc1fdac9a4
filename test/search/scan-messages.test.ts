import t from 'tap'
import { searchMessages } from '../../src/search/search-messages.ts'
import { startApp } from '../helpers/app.ts'
import { newPerson } from '../helpers/people.ts'
import { searchesOf } from '../helpers/search.ts'
import { connect } from '../helpers/sockets.ts'

const { url, register, call } = await startApp(t, { SEARCH: 'off', RATE_LIMIT_SENDS: '0' })
const [ann, bob, eve] = [await register('ann'), await register('bob'), await register('eve')]

type User = typeof ann
const { send, look, all } = searchesOf(t, { call })

t.test('a search finds messages with all the words, newest first, in your own conversations only', async t => {
  await send(ann, bob, 'The quick brown fox')
  await send(bob, ann, 'QUICK and foxy')
  await send(bob, ann, 'slow fox')
  await send(bob, eve, 'another quick fox')
  const { body: { room: { roomId } } } = await call(
    'POST', '/api/rooms', { token: ann.token, body: { name: 'a room', history: 'joined' } }
  )
  const say = async (user: User, content: string) => await call(
    'POST', `/api/rooms/${roomId}/messages`, { token: user.token, body: { content } }
  )
  await say(ann, 'a fox, quick, before')
  t.same(await all(ann, 'q=fox%20quick'), ['QUICK and foxy', 'The quick brown fox', 'a fox, quick, before'])
  t.same(await all(ann, 'q=fox&limit=1'), ['slow fox', 'QUICK and foxy', 'The quick brown fox', 'a fox, quick, before'])
  await call('PUT', `/api/rooms/${roomId}/members/me`, { token: bob.token })
  await say(ann, 'a quick fox after')
  t.same(
    (await all(bob, 'q=fox%20quick')).sort(),
    ['The quick brown fox', 'QUICK and foxy', 'another quick fox', 'a quick fox after'].sort(),
    'nothing from before joining'
  )
  t.same(await all(bob, `q=fox&conversationId=room_${roomId}`), ['a quick fox after'])
  t.same(await all(eve, 'q=fox'), ['another quick fox'])
  t.equal((await look(eve, `q=fox&conversationId=room_${roomId}`)).status, 403)
  await call('PATCH', `/api/rooms/${roomId}`, { token: ann.token, body: { isPrivate: true } })
  t.equal((await look(eve, `q=fox&conversationId=room_${roomId}`)).status, 404)
})

t.test('deleted and overwritten texts are not found, and every script can be searched', async t => {
  const [one, two] = [await register('one'), await register('two')]
  const first = await send(one, two, 'नमस्ते दुनिया')
  const second = await send(one, two, 'ＦＵＬＬ width')
  t.same(await all(two, `q=${encodeURIComponent('दुनिया')}`), ['नमस्ते दुनिया'])
  t.same(await all(two, 'q=full'), ['ＦＵＬＬ width'])
  t.same(await all(two, `q=${encodeURIComponent('.*')}`), [])
  t.same(await all(two, 'q=full&limit=1'), ['ＦＵＬＬ width'])
  for (const n of [1, 2, 3, 4]) await send(two, one, `pages ${n}`)
  t.same(await all(one, 'q=pages&limit=1'), [4, 3, 2, 1].map(n => `pages ${n}`))
  t.equal((await look(two, `q=x&cursor=${encodeURIComponent(`${first.conversationId}~1`)}`)).status, 200)
  await call('PUT', `/api/messages/${second._id}`, { token: one.token, body: { content: 'gone' } })
  await call('DELETE', `/api/messages/${first._id}`, { token: one.token })
  t.same(await all(two, `q=${encodeURIComponent('दुनिया')}`), [])
  t.same(await all(two, 'q=full'), [])
})

t.test('a call searches a bounded part, and the following calls miss nothing', async t => {
  const [one, two] = [await register('many1'), await register('many2')]
  const sender = await connect(t, url, one.token)
  await Promise.all(Array.from(
    { length: 4_500 },
    async (_, index) => await sender.ask(
      'sendDirectMessage', { receiverId: two.id, content: `n ${index}${index % 1_000 === 7 ? ' needle' : ''}` }
    )
  ))
  const first = await look(two, 'q=needle')
  t.match(first.body, { hasMore: true })
  t.ok(first.body.messages.length < 5)
  t.same(await all(two, 'q=needle'), [4_007, 3_007, 2_007, 1_007, 7].map(n => `n ${n} needle`))
  t.same(await all(two, 'q=needle&limit=2'), [4_007, 3_007, 2_007, 1_007, 7].map(n => `n ${n} needle`))
  t.same(await all(two, 'q=haystack'), [])
})

t.test('filters narrow the results', async t => {
  const [one, two] = [await register('from1'), await register('from2')]
  await send(one, two, 'see https://example.org')
  const { createdAt } = await send(two, one, 'a link: https://example.net')
  await send(two, one, 'see nothing')
  t.same(await all(one, 'has=link'), ['a link: https://example.net', 'see https://example.org'])
  t.same(await all(one, `q=see&from=${two.id}`), ['see nothing'])
  t.same(await all(one, `q=see&before=${createdAt}`), ['see https://example.org'])
  t.same(await all(one, `q=e&after=${createdAt}`), ['see nothing', 'a link: https://example.net'])
})

t.test('invalid searches are refused', async t => {
  for (const query of ['', 'q=', 'q=%20', 'q=x&cursor=x', 'q=x&cursor=~', 'q=x&cursor=a~b']) {
    t.equal(
      (await look(ann, query)).status, 400, query
    )
  }
  t.equal((await look(ann, 'q=x&cursor=room_nowhere~5')).status, 200, 'a place is looked for, never believed')
})

t.test('a call searches a bounded number of characters, and the following calls miss nothing', async t => {
  const test = await startApp(t, { SEARCH: 'off' })
  const [ann, bob] = [await newPerson(test), await newPerson(test)]
  const long = (index: number) => `needle ${index} ${'x'.repeat(3_900)}`
  for (let index = 0; index < 10; index++) {
    await test.call(
      'POST', '/api/messages', { token: ann.token, body: { receiverId: bob.id, content: long(index) } }
    )
  }
  const { messageSearch } = test.app
  const within = (charsMax: number) => ({ ...messageSearch, bounds: { ...messageSearch.bounds, charsMax } })
  const found: string[] = []
  let calls = 0
  for (let cursor: string | undefined; ;) {
    const page = await searchMessages(
      within(10_000), bob.identity, { q: 'needle', ...(cursor === undefined ? {} : { cursor }) }
    )
    calls++
    t.equal(page.hasMore, page.cursor !== null)
    t.ok(page.messages.length <= 3, 'three messages are 10,000 characters')
    found.push(...page.messages.map(({ message }) => message))
    if (page.cursor === null) break
    cursor = page.cursor
  }
  t.strictSame(found, Array.from({ length: 10 }, (_, index) => long(9 - index)))
  t.ok(calls >= 4)
  t.equal((await searchMessages(within(1), bob.identity, { q: 'needle' })).messages.length, 1, 'every call gets on')
  t.equal((await searchMessages(within(0), bob.identity, { q: 'needle' })).messages.length, 10, '0 turns the bound off')
})
