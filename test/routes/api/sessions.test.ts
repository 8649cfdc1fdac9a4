import t from 'tap'
import { startApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/sockets.ts'
import { hs256 } from '../../helpers/tokens.ts'

const secret = 'a secret of sixteen characters'
const { app, url, call, register } = await startApp(t, { JWT_SECRET: secret, RATE_LIMIT_LOGIN: '3' })
const login = async (username: string, password = 'password-1', userAgent = 'node') =>
  await call('POST', '/api/auth/login', { body: { username, password }, headers: { 'user-agent': userAgent } })
const me = async (token: string) => (await call('GET', '/api/auth/me', { token })).status
const list = async (token: string) => (await call('GET', '/api/auth/sessions', { token })).body.sessions

t.test('the list of sessions tells them apart', async t => {
  const { token, id } = await register('lister')
  await register('somebody')
  await login('lister', 'password-1', `Browser/1.0 \u00e4 ${'x'.repeat(500)}`)
  const { body: { refreshToken, token: used } } = await login('lister', 'password-1', 'Phone/2')
  const sessions = await list(token)
  t.equal(sessions.length, 3, 'those of others are not in it')
  t.equal(sessions.filter((one: { current: boolean }) => one.current).length, 1)
  t.match(sessions.find((one: { client: string }) => one.client === 'Phone/2'), { _id: String, createdAt: /Z$/, lastUsedAt: /Z$/, current: false })
  const browser = sessions.find((one: { client: string }) => one.client.startsWith('Browser/1.0 x'))
  t.equal(browser.client.length, 200)
  t.ok((await list(used)).find((one: { client: string, current: boolean }) => one.client === 'Phone/2').current)
  await call('POST', '/api/auth/refresh', { body: { refreshToken }, headers: { 'user-agent': 'Phone/3' } })
  t.ok((await list(token)).some((one: { client: string }) => one.client === 'Phone/3'), 'a refresh brings the name up to date')
  await app.accounts.sessions.updateMany({ client: 'Phone/3' }, { $set: { expiresAt: new Date(0) } })
  t.equal((await list(token)).length, 2, 'those that have ended are not in it')
  t.equal((await list(hs256({ id }, secret))).filter((one: { current: boolean }) => one.current).length, 0, 'a host application\'s token has none')
  t.match(await call('GET', '/api/auth/sessions'), { status: 401 })
})

t.test('you can end one of them', async t => {
  const { token } = await register('ender')
  const other = (await login('ender')).body
  const stranger = await register('stranger')
  const socket = await connect(t, url, other.token)
  const { _id } = (await list(token)).find((one: { current: boolean }) => !one.current)
  const end = (by: string, id: string) => call('DELETE', `/api/auth/sessions/${encodeURIComponent(id)}`, { token: by })
  t.match(await end(stranger.token, _id), { status: 404, body: { code: 'NOT_FOUND' } }, 'not another user\'s')
  t.equal(await me(other.token), 200)
  t.match(await end(token, _id), { status: 200, body: { success: true } })
  await socket.gone
  t.equal(await me(other.token), 401)
  t.match(await call('POST', '/api/auth/refresh', { body: { refreshToken: other.refreshToken } }), { status: 401 })
  t.equal(await me(token), 200)
  for (const id of [_id, 'x', '{"$ne":1}']) t.match(await end(token, id), { status: 404 }, id)
})

t.test('you change your password with the current one, and this ends your other sessions', async t => {
  const { token, refreshToken } = await register('changer')
  const other = (await login('changer')).body
  const [mine, theirs] = [await connect(t, url, token), await connect(t, url, other.token)]
  const change = (body: object, by = token) => call('POST', '/api/auth/password', { token: by, body })
  t.match(await change({ password: 'wrong', newPassword: 'password-2' }), { status: 401, body: { code: 'INVALID_CREDENTIALS' } })
  t.equal(await me(other.token), 200, 'a refusal changes nothing')
  for (const newPassword of ['short', null, { $ne: 1 }, 'x'.repeat(201)]) t.match(await change({ password: 'password-1', newPassword }), { status: 400, body: { message: /newPassword/ } })
  t.match(await change({ password: 'password-1', newPassword: 'p\u00e4ssword-2' }), { status: 200, body: { success: true } })

  await theirs.gone
  t.equal(await me(other.token), 401)
  t.match(await call('POST', '/api/auth/refresh', { body: { refreshToken: other.refreshToken } }), { status: 401 })
  t.match(await mine.ask('setupUser'), { success: true }, 'the session that asked goes on')
  t.equal(await me(token), 200)
  const next = await call('POST', '/api/auth/refresh', { body: { refreshToken } })
  t.equal(await me(next.body.token as string), 200)
  t.match(await login('changer', 'password-1'), { status: 401 })
  t.match(await login('changer', 'pa\u0308ssword-2'), { status: 200 }, 'however it is typed')

  t.match(await call('POST', '/api/auth/logout', { token: next.body.token, body: { everywhere: true } }), { status: 200 })
  for (const ended of [token, next.body.token as string]) t.equal(await me(ended), 401, 'a session that went on once can be ended')
})

t.test('guesses of the current password are counted per session', async t => {
  const { token } = await register('guessed')
  const second = (await login('guessed')).body.token as string
  const change = (by: string, password: string) => call('POST', '/api/auth/password', { token: by, body: { password, newPassword: 'password-2' } })
  for (let i = 0; i < 3; i++) t.match(await change(token, 'wrong'), { status: 401 })
  t.match(await change(token, 'password-1'), { status: 429 })
  t.match(await change(second, 'password-1'), { status: 200 })
})

t.test('only one of two changes at once succeeds', async t => {
  const { token } = await register('racer')
  const answers = await Promise.all(['password-2', 'password-3'].map(newPassword =>
    call('POST', '/api/auth/password', { token, body: { password: 'password-1', newPassword } })))
  t.same(answers.map(({ status }) => status).sort(), [200, 401])
})
