import { ObjectId } from 'mongodb'
import t from 'tap'
import { fillSearchKeys } from '../../../src/auth/accounts.ts'
import { startApp } from '../../helpers/app.ts'

const notFound = { status: 404, body: { success: false, code: 'USER_NOT_FOUND' } }
const invalid = { status: 400, body: { success: false, code: 'VALIDATION' } }

t.test('finding users', async t => {
  const { app, call, register } = await startApp(t)
  const { token } = await register('seeker', { fullName: 'Seeker' })
  await register('Anna.K', { fullName: 'Anna Maria  Kowalska' })
  await register('a+b'.replace('+', '_'), { fullName: 'a.*b (c) [d] $e ^f' })
  const { id: gone } = await register('annagone', { fullName: 'Anna Gone' })
  await app.accounts.users.updateOne({ _id: new ObjectId(gone) }, { $set: { isActive: false } })
  await app.accounts.users.insertOne({ _id: new ObjectId(), fullName: 'Hosted', username: 'HostName', email: 'hosted@example.org' })
  const find = async (search: string) => (await call('GET', `/api/users?search=${encodeURIComponent(search)}`, { token })).body.users.map((user: { username: string }) => user.username)

  await t.test('finds by the beginning of the user name or of a word of the full name, in any case', async t => {
    for (const search of [
      'anna', 'ANNA.k', 'maria', 'Kow', 'maria kow', 'kow ANN', 'Ánna', ' anna  MARIA kowalska', 'anna.k', '@anna'
    ]) t.same(await find(search), ['Anna.K'], search)
    for (const search of ['nna', 'owalska', 'annax', 'anna x', 'annagone', 'gone', '@maria']) t.same(await find(search), [], search)
  })

  await t.test('a search is text and never a pattern', async t => {
    for (const search of ['a.*b', '(c)', '[d]', '$e', '^f']) t.same(await find(search), ['a_b'], search)
    for (const search of ['.*', '.', '^a', '[a-z]', 'a|b', '\\w', '{$ne:1}']) t.same(await find(search), [], search)
    for (const query of ['search[$ne]=x', 'search[]=a', 'x=1']) t.match(await call('GET', `/api/users?${query}`, { token }), { status: 200, body: { success: true } }, query)
    for (const query of ['search=%00', 'search=%0a', `search=${'x'.repeat(101)}`, 'search=a&search=b', 'limit=0', 'limit=101', 'limit=x', 'limit=1.5', 'cursor=x', 'cursor[$gt]=']) {
      const answer = await call('GET', `/api/users?${query}`, { token })
      if (query.startsWith('cursor[')) t.equal(answer.status, 200, 'the brackets are part of an unknown name')
      else t.match(answer, invalid, query)
    }
  })

  await t.test('users without search keys, such as a host application\'s, get them at the start', async t => {
    t.same(await find('hostn'), [])
    await fillSearchKeys(app.accounts.users)
    for (const search of ['hostn', 'HOSTED', '@host']) t.same(await find(search), ['HostName'], search)
    t.equal(await app.accounts.users.countDocuments({ searchVersion: { $exists: false } }), 0)
    await app.accounts.users.updateOne({ username: 'HostName' }, { $set: { fullName: 'Elsewhere' } })
    await fillSearchKeys(app.accounts.users)
    t.same([await find('elsewh'), await find('hosted')], [['HostName'], []], 'a name that the host has changed')
  })

  await t.test('the user with exactly that user name comes first, on one page only', async t => {
    for (const name of ['adalbert', 'ada', 'adamina']) await register(name, { fullName: `Ada ${name}` })
    t.same(await find('ada'), ['ada', 'adalbert', 'adamina'])
    t.same(await find('@ADA'), ['ada', 'adalbert', 'adamina'])
    const seen: string[] = []
    for (let cursor = ''; ;) {
      const { body } = await call('GET', `/api/users?search=ada&limit=1${cursor}`, { token })
      seen.push(...body.users.map((user: { username: string }) => user.username))
      if (body.cursor === null) break
      cursor = `&cursor=${body.cursor as string}`
    }
    t.same(seen, ['ada', 'adalbert', 'adamina'])
  })

  await t.test('shows only the public fields', async t => {
    const { body, text } = await call('GET', '/api/users', { token })
    t.same(body.users.map((user: object) => Object.keys(user).sort()), body.users.map(() => ['_id', 'fullName', 'profilePicture', 'username']))
    t.notMatch(text, /@example\.org|argon2|password|usernameKey/)
  })

  await t.test('pages list everybody once', async t => {
    for (let i = 0; i < 7; i++) await register(`page-${i}`)
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const { body } = await call('GET', `/api/users?search=page&limit=3${cursor === null ? '' : `&cursor=${cursor}`}`, { token })
      seen.push(...body.users.map((user: { username: string }) => user.username))
      t.equal(body.hasMore, body.cursor !== null)
      cursor = body.cursor
    } while (cursor !== null)
    t.same(seen, Array.from({ length: 7 }, (_, i) => `page-${i}`))
  })

  await t.test('finds one user by id, in upper or lower case', async t => {
    const [user] = (await call('GET', '/api/users?search=kowal', { token })).body.users
    for (const id of [user._id, user._id.toUpperCase()]) t.match(await call('GET', `/api/users/${id}`, { token }), { status: 200, body: { success: true, user, blocked: false } })
    t.match(await call('GET', `/api/users/${new ObjectId().toHexString()}`, { token }), notFound)
    for (const id of ['x', '1'.repeat(23), '[object Object]', '%00']) t.match(await call('GET', `/api/users/${id}`, { token }), invalid, id)
  })

  await t.test('needs a token', async t => {
    const id = new ObjectId().toHexString()
    for (const [method, path] of [['GET', ''], ['GET', `/${id}`], ['PATCH', '/me'], ['PUT', `/${id}/block`], ['DELETE', `/${id}/block`]] as const) {
      t.match(await call(method, `/api/users${path}`, method === 'PATCH' ? { body: {} } : {}), { status: 401, body: { code: 'NO_TOKEN' } }, `${method} ${path}`)
    }
  })
})

t.test('changing your account', async t => {
  const { app, call, register } = await startApp(t, { ADMIN_USERS: 'root, boss' })
  const { token, id } = await register('changer')
  await register('taken')
  const change = (body: unknown, as = token) => call('PATCH', '/api/users/me', { token: as, body })

  await t.test('only the named fields change, and the change shows at once', async t => {
    t.match(await change({ fullName: ' New Name ' }), { status: 200, body: { success: true, user: { _id: id, fullName: 'New Name', username: 'changer', email: 'changer@example.org' } } })
    t.match(await change({ profilePicture: 'http://example.org/p.png' }), { status: 200, body: { user: { fullName: 'New Name', profilePicture: 'http://example.org/p.png' } } })
    t.match(await change({ profilePicture: null, username: 'Changed' }), { status: 200, body: { user: { username: 'Changed', profilePicture: null } } })
    t.match(await change({}), { status: 200, body: { user: { username: 'Changed' } } })
    t.match(await call('GET', `/api/users/${id}`, { token }), { body: { user: { fullName: 'New Name', username: 'Changed' } } })
    for (const search of ['changed', 'name']) t.match(await call('GET', `/api/users?search=${search}`, { token }), { body: { users: [{ _id: id }] } }, search)
    t.same((await call('GET', '/api/users?search=changer', { token })).body.users, [], 'the old name finds nobody')
  })

  await t.test('a name in use is refused, but you can change the case of your own', async t => {
    t.match(await change({ username: 'TAKEN' }), { status: 409, body: { code: 'USERNAME_TAKEN' } })
    t.match(await change({ username: 'cHANGED' }), { status: 200, body: { user: { username: 'cHANGED' } } })
    const names = await Promise.all([1, 2, 3, 4].map(i => register(`racer-${i}`)))
    const answers = await Promise.all(names.map(racer => change({ username: 'winner' }, racer.token)))
    t.same(answers.map(({ status }) => status).sort(), [200, 409, 409, 409])
  })

  await t.test('changes at the same time leave the search keys of both', async t => {
    const answers = await Promise.all([change({ fullName: 'Both Fields' }), change({ username: 'both.names' })])
    t.same(answers.map(({ status }) => status), [200, 200])
    t.same((await app.accounts.users.findOne({ _id: new ObjectId(id) }))?.searchKeys, ['both.names', '@both.names', 'both', 'fields'])
  })

  await t.test('invalid values are refused by the name of the field', async t => {
    for (const field of ['fullName', 'username', 'profilePicture']) {
      for (const value of [1, true, {}, { $ne: 1 }, { $set: {} }, [], ['x'], '', '\u0000', 'x'.repeat(5_000), ...(field === 'profilePicture' ? [] : [null])]) {
        t.match(await change({ [field]: value }), { ...invalid, body: { message: new RegExp(field) } }, `${field} ${JSON.stringify(value).slice(0, 20)}`)
      }
    }
    await change({ password: 'x', isActive: false, email: 'evil@example.org', $set: { isAdmin: true } })
    t.match(await call('GET', '/api/auth/me', { token }), { status: 200, body: { user: { email: 'changer@example.org', isAdmin: false } } }, 'other fields are not touched')
  })

  await t.test('you cannot take an administrator\'s name, nor give yours up', async t => {
    const root = await register('root')
    t.match(await change({ username: 'boss' }), { status: 403, body: { code: 'NOT_ALLOWED' } })
    t.match(await change({ username: 'other' }, root.token), { status: 403, body: { code: 'NOT_ALLOWED' } })
    t.match(await change({ fullName: 'Root' }, root.token), { status: 200, body: { user: { isAdmin: true } } })
    t.match(await change({ username: 'BOSS' }), { status: 403, body: { code: 'NOT_ALLOWED' } }, 'in any case')
  })
})

t.test('blocking', async t => {
  const { app, call, register } = await startApp(t)
  const [a, b] = [await register('blocker'), await register('blocked')]
  const block = (method: string, id: string) => call(method, `/api/users/${id}/block`, { token: a.token })

  await t.test('you can block and unblock any number of times', async t => {
    for (const [method, blocked] of [['PUT', true], ['PUT', true], ['DELETE', false], ['DELETE', false], ['PUT', true]] as const) {
      t.match(await block(method, b.id), { status: 200, body: { success: true, blocked } }, method)
      t.match(await call('GET', `/api/users/${b.id}`, { token: a.token }), { body: { blocked } })
      t.equal((await app.chat.blocks.get(a.id)).has(b.id), blocked)
    }
    t.match(await call('GET', `/api/users/${a.id}`, { token: b.token }), { body: { blocked: false } }, 'it goes one way')
    const many = await Promise.all(Array.from({ length: 10 }, () => block('PUT', b.id.toUpperCase())))
    t.ok(many.every(({ status }) => status === 200))
    t.equal(await app.chat.log.collections.rows.countDocuments({ kind: 'block' }), 1)
  })

  await t.test('you cannot block yourself or an unknown user', async t => {
    for (const method of ['PUT', 'DELETE']) {
      t.match(await block(method, a.id), { status: 403, body: { code: 'NOT_ALLOWED' } })
      t.match(await block(method, new ObjectId().toHexString()), notFound)
      t.match(await block(method, 'x'), invalid)
    }
  })
})

t.test('many users are read by their ids', async t => {
  const { call, register } = await startApp(t)
  const [ann, bob, { token }] = [await register('ann'), await register('bob'), await register('cid')]
  const ask = async (query: string) => await call('GET', `/api/users?${query}`, { token })
  const { status, body } = await ask(`ids=${bob.id},${'f'.repeat(24)},${ann.id.toUpperCase()},${bob.id}`)
  t.equal(status, 200)
  t.match(body, { users: [{ _id: bob.id, username: 'bob' }, { _id: ann.id }], hasMore: false, cursor: null })
  t.equal(body.users.length, 2, 'each once, and unknown ones not at all')
  t.equal((await ask(`ids=${Array(100).fill(ann.id).join(',')}`)).status, 200)
  for (const query of [`ids=${Array(101).fill(ann.id).join(',')}`, 'ids=', 'ids=x', `ids=${ann.id}&search=ann`]) t.match(await ask(query), invalid, query)
})

t.test('with USER_SEARCH=shared you find only users with whom you share a conversation', async t => {
  const { call, register } = await startApp(t, { USER_SEARCH: 'shared' })
  const [ann, bob] = [await register('ann'), await register('bob')]
  const [cid, dan] = [await register('cid'), await register('dan')]
  const find = async ({ token }: { token: string }, query = '') =>
    (await call('GET', `/api/users?limit=2${query}`, { token })).body
  t.match(await find(ann), { users: [{ _id: ann.id }], cursor: null })
  t.match(await find(ann, '&search=bob'), { users: [], cursor: null }, 'not even by the exact name')
  await call('POST', '/api/messages', { token: ann.token, body: { receiverId: bob.id, content: 'hi' } })
  const room = await call('POST', '/api/rooms', { token: cid.token, body: { name: 'a room' } })
  await call('PUT', `/api/rooms/${room.body.room.roomId as string}/members/me`, { token: ann.token })
  t.match(await find(ann, '&search=bob'), { users: [{ _id: bob.id }] })
  const first = await find(ann)
  t.match(first, { users: [{ _id: ann.id }, { _id: bob.id }], hasMore: true })
  t.match(await find(ann, `&cursor=${first.cursor as string}`), { users: [{ _id: cid.id }], hasMore: false })
  t.match(await find(dan), { users: [{ _id: dan.id }], hasMore: false })
})
