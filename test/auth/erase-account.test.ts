import { ObjectId } from 'mongodb'
import t from 'tap'
import { startApp, type TestApp } from '../helpers/app.ts'
import { contentOf, png, uploaded } from '../helpers/files.ts'
import { connect } from '../helpers/sockets.ts'
import { hs256 } from '../helpers/tokens.ts'

const secret = 'the secret that both sides know'

let test!: TestApp
t.before(async () => { test = await startApp(t, { ADMIN_USERS: 'root', JWT_SECRET: secret }) })

const erase = async (token: string | undefined, password: unknown = 'password-1') =>
  await test.call('DELETE', '/api/users/me', { token, body: { password } })

t.test('an erased account is gone at once, and its names are free', async t => {
  const { app, call, register, url } = test
  const user = await register('gone')
  const other = await register('other')
  const fileId = await uploaded(test, user.token, png, 'me.png')
  const { body } = await call('PUT', '/api/users/me/avatar', { token: user.token, body: { fileId } })
  t.equal((await fetch(`${url}${body.user.profilePicture}`)).status, 200)
  const { socket } = await connect(t, url, user.token)
  const closed = new Promise(resolve => { socket.once('disconnect', resolve) })

  t.match(await erase(user.token, 'wrong'), { status: 401, body: { code: 'INVALID_CREDENTIALS' } })
  t.match(await erase(user.token, undefined), { status: 200, body: { success: true } })
  t.equal(await closed, 'io server disconnect')
  t.match(await call('GET', '/api/auth/me', { token: user.token }), { status: 401, body: { code: 'UNKNOWN_USER' } })
  t.match(await call('POST', '/api/auth/refresh', { body: { refreshToken: user.refreshToken } }), { status: 401 })
  const login = await call('POST', '/api/auth/login', { body: { username: 'gone', password: 'password-1' } })
  t.match(login, { status: 401, body: { code: 'INVALID_CREDENTIALS' } })
  t.match(await call('GET', `/api/users/${user.id}`, { token: other.token }), {
    status: 200, body: { user: { _id: user.id, fullName: 'Deleted user', username: '', profilePicture: null } }
  })
  for (const search of ['gone', 'deleted', 'user']) {
    t.same((await call('GET', `/api/users?search=${search}`, { token: other.token })).body.users, [], search)
  }
  const content = { receiverId: user.id, content: 'hello?' }
  const late = await call('POST', '/api/messages', { token: other.token, body: content })
  t.match(late, { status: 404, body: { code: 'USER_NOT_FOUND' } })
  t.not((await register('gone')).id, user.id)

  const row = await app.accounts.users.findOne({ _id: new ObjectId(user.id) })
  const personal = ['email', 'emailKey', 'usernameKey', 'password', 'knownAddresses']
  t.same(Object.keys(row!).filter(field => personal.includes(field)), [])
  t.match(await app.accounts.sessions.countDocuments({ userId: new ObjectId(user.id) }), 0)
  const file = await app.files.files.findOne({ _id: new ObjectId(fileId) })
  t.ok(file!.checkAt, 'the picture is looked at by the next sweep')
})

t.test('an erasure ends when no request from before can follow', async t => {
  const { app, register } = test
  const user = await register('slow')
  const _id = new ObjectId(user.id)
  t.match(await erase(user.token), { status: 200 })
  await app.continueErasures()
  t.match(await app.accounts.users.findOne({ _id }), { isErasing: true }, 'a minute is not over')
  await app.accounts.users.updateOne({ _id }, { $set: { erasedAt: new Date(Date.now() - 61_000) } })
  await app.continueErasures()
  t.notOk((await app.accounts.users.findOne({ _id }))!.isErasing)
})

t.test('an administrator erases accounts, of a host application too, but no administrator', async t => {
  const { app, call, register } = test
  const root = await register('root')
  const user = await register('asked')
  const as = async (token: string, id: string) => await call('DELETE', `/api/admin/users/${id}`, { token })
  t.match(await as(user.token, root.id), { status: 403, body: { code: 'NOT_ALLOWED' } })
  t.match(await as(root.token, root.id), { status: 403, body: { code: 'NOT_ALLOWED' } })
  t.match(await erase(root.token), { status: 403, body: { code: 'NOT_ALLOWED' } })
  t.match(await as(root.token, 'f'.repeat(24)), { status: 404, body: { code: 'USER_NOT_FOUND' } })
  t.match(await as(root.token, user.id), { status: 200, body: { success: true } })
  t.match(await call('GET', '/api/auth/me', { token: user.token }), { status: 401 })
  t.match(
    await call('PATCH', `/api/admin/users/${user.id}`, { token: root.token, body: { isActive: true } }),
    { status: 404, body: { code: 'USER_NOT_FOUND' } },
    'nobody reopens it'
  )

  const _id = new ObjectId()
  await app.accounts.users.insertOne({ _id, fullName: 'Host User', username: 'host', email: 'host@example.org' })
  const token = hs256({ id: _id.toHexString(), iat: Math.floor(Date.now() / 1_000) }, secret)
  t.match(await erase(token, 'x'), { status: 403, body: { code: 'NOT_ALLOWED' } })
  t.match(await as(root.token, _id.toHexString()), { status: 200 })
  t.match(await call('GET', '/api/auth/me', { token }), { status: 401, body: { code: 'UNKNOWN_USER' } })
  t.match(await app.accounts.users.findOne({ _id }), { fullName: 'Host User', username: 'host', isActive: false })
})

t.test('malformed requests erase nothing', async t => {
  const { call, register } = test
  const user = await register('careful')
  for (const password of [null, 1, '', { $ne: '' }, ['password-1']]) {
    t.match(await erase(user.token, password), { status: 400 }, JSON.stringify(password))
  }
  t.match(await erase(undefined), { status: 401, body: { code: 'NO_TOKEN' } })
  t.match(await call('GET', '/api/auth/me', { token: user.token }), { status: 200 })
  t.equal((await contentOf(test, 'f'.repeat(24), user.token)).status, 404)
})
