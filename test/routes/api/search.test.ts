import t from 'tap'
import { searchIndex } from '../../../src/search/collections.ts'
import { startApp } from '../../helpers/app.ts'
import { png, uploaded } from '../../helpers/files.ts'
import { searchesOf } from '../../helpers/search.ts'

const test = await startApp(t)
const { call, register } = test
const [ann, bob, eve] = [await register('ann'), await register('bob'), await register('eve')]

type User = typeof ann
const { send, look, all } = searchesOf(t, test)

/** Whether or not the index has come as far. */
async function both (check: () => Promise<void>): Promise<void> {
  await check()
  await test.app.messageSearch.follower!.catchUp()
  await check()
}

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
  await call('PUT', `/api/rooms/${roomId}/members/me`, { token: bob.token })
  await say(ann, 'a quick fox after')
  await both(async () => {
    t.same(
      await all(ann, 'q=quick%20fox'),
      ['a quick fox after', 'a fox, quick, before', 'QUICK and foxy', 'The quick brown fox']
    )
    t.same(
      await all(ann, 'q=fox%20quick'), ['a quick fox after', 'a fox, quick, before', 'The quick brown fox'],
      'only the last word may be a beginning'
    )
    t.same(await all(ann, 'q=%22quick%20fox%22'), ['a quick fox after'])
    t.same(
      await all(ann, 'q=fox&limit=1'),
      ['a quick fox after', 'a fox, quick, before', 'slow fox', 'QUICK and foxy', 'The quick brown fox']
    )
    t.same(
      await all(bob, 'q=quick%20fox'),
      ['a quick fox after', 'another quick fox', 'QUICK and foxy', 'The quick brown fox'], 'nothing from before joining'
    )
    t.same(await all(bob, `q=fox&conversationId=room_${roomId}`), ['a quick fox after'])
    t.same(await all(eve, 'q=fox'), ['another quick fox'])
  })
  t.equal((await look(eve, `q=fox&conversationId=room_${roomId}`)).status, 403)
  await call('PATCH', `/api/rooms/${roomId}`, { token: ann.token, body: { isPrivate: true } })
  t.equal((await look(eve, `q=fox&conversationId=room_${roomId}`)).status, 404)
})

t.test('deleted and overwritten texts are not found, and every script can be searched', async t => {
  const [one, two] = [await register('one'), await register('two')]
  const first = await send(one, two, 'नमस्ते दुनिया')
  const second = await send(one, two, 'ＦＵＬＬ width, Élan')
  await send(two, one, '東京都に行きました')
  await send(two, one, 'مُحَمَّد في القاهرة')
  await send(two, one, '학교에서 만나요 🎉')
  await both(async () => {
    const found: Array<[string, string]> = [
      ['दुनिया', 'नमस्ते दुनिया'], ['full elan', 'ＦＵＬＬ width, Élan'], ['京都', '東京都に行きました'], ['都', '東京都に行きました'],
      ['محمد', 'مُحَمَّد في القاهرة'], ['학교', '학교에서 만나요 🎉'], ['🎉', '학교에서 만나요 🎉']
    ]
    for (const [q, message] of found) t.same(await all(two, `q=${encodeURIComponent(q)}`), [message], q)
    for (const q of ['.*', '?', '"', 'ull', '京行']) t.same(await all(two, `q=${encodeURIComponent(q)}`), [], q)
  })
  await call('PUT', `/api/messages/${second._id}`, { token: one.token, body: { content: 'gone' } })
  await call('DELETE', `/api/messages/${first._id}`, { token: one.token })
  await both(async () => {
    t.same(await all(two, `q=${encodeURIComponent('दुनिया')}`), [])
    t.same(await all(two, 'q=full'), [])
    t.same(await all(two, 'q=gone'), ['gone'])
  })
})

t.test('filters narrow the results', async t => {
  const [one, two] = [await register('from1'), await register('from2')]
  await send(one, two, 'see https://example.org')
  const { createdAt } = await send(two, one, 'a link: https://example.net')
  await send(two, one, 'see nothing')
  await send(two, one, 'https://example.org/a.png', { messageType: 'image' })
  await both(async () => {
    t.same(
      await all(one, 'has=link'),
      ['https://example.org/a.png', 'a link: https://example.net', 'see https://example.org']
    )
    t.same(await all(one, 'has=image'), ['https://example.org/a.png'])
    t.same(await all(one, `q=see&from=${two.id}`), ['see nothing'])
    t.same(await all(one, `q=see&before=${createdAt}`), ['see https://example.org'])
    t.same(await all(one, `q=link&after=${createdAt}`), ['a link: https://example.net'])
  })
})

t.test('messages that the caller has blocked, cleared or hidden are not found', async t => {
  const [one, two] = [await register('view1'), await register('view2')]
  const { body: { room: { roomId } } } = await call('POST', '/api/rooms', { token: one.token, body: { name: 'views' } })
  await call('PUT', `/api/rooms/${roomId}/members/me`, { token: two.token })
  const conversationId = `room_${roomId}`
  const say = async (user: User, content: string) => await call(
    'POST', `/api/rooms/${roomId}/messages`, { token: user.token, body: { content } }
  )
  for (const [user, content] of [
    [one, 'tide 1'], [two, 'tide 2'], [one, 'tide 3'], [one, 'tide 4']
  ] as const) await say(user, content)
  const settings = async (body: object) => await call(
    'PATCH', `/api/conversations/${conversationId}`, { token: one.token, body }
  )
  await settings({ hideSeqs: [3] })
  await both(async () => { t.same(await all(one, 'q=tide'), ['tide 4', 'tide 2', 'tide 1']) })
  await call('PUT', `/api/users/${two.id}/block`, { token: one.token })
  await both(async () => { t.same(await all(one, 'q=tide'), ['tide 4', 'tide 1']) })
  await settings({ clearThroughSeq: 1 })
  await both(async () => { t.same(await all(one, 'q=tide'), ['tide 4']) })
  t.same(await all(two, 'q=tide'), ['tide 4', 'tide 3', 'tide 2', 'tide 1'], 'others find it')
})

t.test('invalid requests are refused', async t => {
  for (const query of [
    '', 'q=', 'q=%20', `q=${'x'.repeat(101)}`, 'q=x&cursor=x',
    'q=x&cursor=', 'q=x&cursor=~a', 'q=x&cursor=a~b', 'q=x&limit=0', 'q=x&limit=101', 'q[$gt]=x',
    'q=x&has=gold', 'q=x&from=me', 'q=x&before=now', 'q=x&after=1'
  ]) t.equal((await look(ann, query)).status, 400, query)
  t.equal((await look(ann, 'q=x&conversationId=self')).status, 404)
  t.equal((await look(ann, 'q=x&cursor=~room_nowhere~5')).status, 200, 'a place is looked for, never believed')
})

t.test('searches count against their user\'s limit, and invalid requests do not', async t => {
  const { call, register } = await startApp(t, { RATE_LIMIT_SEARCH: '2' })
  const [{ token }, other] = [await register('ann'), await register('bob')]
  const look = async (token: string, query: string) => await call('GET', `/api/messages/search?${query}`, { token })
  for (const query of ['q=', 'q=x&cursor=x', 'q=x&limit=0']) t.equal((await look(token, query)).status, 400)
  for (let call = 0; call < 2; call++) t.equal((await look(token, 'q=x')).status, 200)
  const refused = await look(token, 'q=x')
  t.match(refused, { status: 429, body: { success: false, code: 'RATE_LIMITED', retryable: true } })
  t.ok(refused.body.retryAfterMs > 0 && Number(refused.headers.get('retry-after')) >= 1)
  t.equal((await look(other.token, 'q=x')).status, 200, 'others are not held back')
})

t.test('a message is found by the kinds of its files, until it is deleted', async t => {
  const [one, two] = [await register('filer'), await register('reader')]
  const sendFile = async (content: string, bytes: Buffer | string, name: string) => await send(one, two, content, {
    attachments: [{ fileId: await uploaded(test, one.token, bytes, name) }]
  })
  const picture = await sendFile('a picture', png, 'a.png')
  await sendFile('a list', 'one, two', 'list.txt')
  await both(async () => {
    t.same(await all(two, 'has=image'), ['a picture'])
    t.same(await all(two, 'has=file'), ['a list', 'a picture'])
    t.same(await all(two, 'has=file&q=list'), ['a list'])
    t.same(await all(two, 'has=video'), [])
  })
  await call('DELETE', `/api/messages/${picture._id as string}`, { token: one.token })
  await both(async () => { t.same(await all(two, 'has=image'), []) })
})

t.test('a deleted room leaves no terms behind', async t => {
  const owner = await register('owner')
  const { body: { room: { roomId } } } = await call(
    'POST', '/api/rooms', { token: owner.token, body: { name: 'short' } }
  )
  const say = async (content: string) => await call(
    'POST', `/api/rooms/${roomId}/messages`, { token: owner.token, body: { content } }
  )
  for (const content of ['one word', 'another word']) await say(content)
  const { messageSearch: { follower }, mongo } = test.app
  const index = searchIndex(mongo.db!)
  const kept = async () => {
    await follower!.catchUp()
    const _id = `room_${roomId as string}`
    const ofRoom = { _id: { $regex: `^${_id}` } }
    return [await index.directories.countDocuments(ofRoom), await index.chunks.countDocuments(ofRoom)]
  }
  t.same(await kept(), [1, 1])
  await call('DELETE', `/api/rooms/${roomId}`, { token: owner.token })
  t.same(await kept(), [0, 0])
})
