import { ObjectId } from 'mongodb'
import t from 'tap'
import { startApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/sockets.ts'
import { hs256 } from '../../helpers/tokens.ts'

const secret = 'the secret that both sides know'
const notAllowed = { status: 403, body: { success: false, code: 'NOT_ALLOWED' } }

t.test('closing and reopening accounts', async t => {
  const { app, url, call, register } = await startApp(t, { ADMIN_USERS: ' root ,second', JWT_SECRET: secret })
  const root = await register('root')
  const user = await register('someone')
  const set = (id: string, body: unknown, token: string | undefined = root.token) => call('PATCH', `/api/admin/users/${id}`, { token, body })
  const me = (token: string) => call('GET', '/api/auth/me', { token })
  const login = () => call('POST', '/api/auth/login', { body: { username: 'someone', password: 'password-1' } })
  const heard: unknown[] = []
  app.revocations.on('revoked', revoked => { heard.push(revoked) })

  await t.test('only the users in ADMIN_USERS may do it', async t => {
    t.match(await me(root.token), { body: { user: { isAdmin: true } } })
    t.match(await set(user.id, { isActive: false }, user.token), notAllowed)
    t.match(await set(new ObjectId().toHexString(), {}, user.token), notAllowed, 'whoever may not learns nothing of who exists')
    t.match(await call('PATCH', `/api/admin/users/${user.id}`, { body: {} }), { status: 401, body: { code: 'NO_TOKEN' } })
    const shouting = await app.accounts.users.insertOne({ _id: new ObjectId(), fullName: 'X', username: 'ROOT', email: 'x@example.org' })
    t.match(await set(user.id, {}, hs256({ id: shouting.insertedId.toHexString() }, secret)), notAllowed, 'a host application\'s name in another case')
  })

  await t.test('closing ends tokens, sessions and logins at once', async t => {
    const host = hs256({ id: user.id, iat: Math.floor(Date.now() / 1_000) }, secret)
    t.match(await me(host), { status: 200 })
    const sockets = await Promise.all([user.token, host].map(token => connect(t, url, token)))
    const closed = Promise.all(sockets.map(({ socket }) => new Promise<string>(resolve => { socket.once('disconnect', resolve) })))
    t.match(await set(user.id, { isActive: false }), { status: 200, body: { success: true, user: { _id: user.id, username: 'someone', isActive: false } } })
    t.same(heard, [{ userId: user.id }])
    t.same(await closed, ['io server disconnect', 'io server disconnect'], 'the sockets of every session are closed')
    await t.rejects(connect(t, url, user.token), { message: 'Authentication error: User not found' })
    for (const token of [user.token, host]) t.match(await me(token), { status: 401, body: { code: 'UNKNOWN_USER', message: 'Authentication error: User not found' } })
    t.match(await call('POST', '/api/auth/refresh', { body: { refreshToken: user.refreshToken } }), { status: 401, body: { code: 'INVALID_REFRESH_TOKEN' } })
    t.match(await login(), notAllowed)
    await set(user.id, { isActive: false })
    t.equal(heard.length, 1, 'closing it again changes nothing')
  })

  await t.test('reopening makes no old token valid', async t => {
    t.match(await set(user.id.toUpperCase(), { isActive: true }), { status: 200, body: { user: { isActive: true } } })
    t.match(await me(user.token), { status: 401, body: { code: 'INVALID_TOKEN' } })
    const again = await login()
    t.match(again, { status: 200 })
    t.match(await me(again.body.token), { status: 200 })
    await set(user.id, { isActive: true })
    await set(user.id, {})
    t.match(await me(again.body.token), { status: 200 }, 'an open account is not disturbed')
  })

  await t.test('invalid requests are refused', async t => {
    t.match(await set(root.id, { isActive: false }), notAllowed, 'the own account')
    t.match(await set(new ObjectId().toHexString(), { isActive: false }), { status: 404, body: { code: 'USER_NOT_FOUND' } })
    t.match(await set('x', { isActive: false }), { status: 400 })
    for (const isActive of [null, 0, 'false', {}, { $ne: true }, []]) t.match(await set(user.id, { isActive }), { status: 400, body: { message: /isActive/ } }, JSON.stringify(isActive))
    for (const body of [null, [], 'x']) t.match(await set(user.id, body), { status: 400 }, JSON.stringify(body))
  })
})
