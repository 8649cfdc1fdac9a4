import * as bcrypt from '@node-rs/bcrypt'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { connect } from '../../helpers/sockets.ts'
import { startApp, type TestApp } from '../../helpers/app.ts'
import { request } from '../../helpers/request.ts'
import { hs256 } from '../../helpers/tokens.ts'

const secret = 'the secret that both sides know'
const input = { fullName: 'Ada Lovelace', username: 'Ada.L', email: 'Ada@Example.org', password: 'password-1' }
/** What no field may be: other types, operators of the query language, and what cannot be stored faithfully. */
const strange = [null, 1, true, {}, { $ne: null }, { $gt: '' }, ['x'], [], '', '\u0000', 'x'.repeat(100_000)]

const tooMany = { status: 429, body: { success: false, code: 'RATE_LIMITED', retryable: true } }
const invalidToken = { status: 401, body: { code: 'INVALID_TOKEN' } }
const invalidRefresh = { status: 401, body: { success: false, code: 'INVALID_REFRESH_TOKEN' } }

t.test('accounts', async t => {
  const server = await startApp(t, { JWT_SECRET: secret })
  const post = (path: string, body: unknown) => server.call('POST', `/api/auth/${path}`, { body })

  await t.test('registration answers with tokens and the public part of the user', async t => {
    const answer = await post('register', input)
    t.match(answer, { status: 201, body: { success: true, token: String, refreshToken: /^[\w-]{65}$/, expiresAt: /^\d{4}-.*Z$/ } })
    t.same(answer.body.user, { _id: answer.body.user._id, fullName: 'Ada Lovelace', username: 'Ada.L', profilePicture: null })
    const { exp, iat, ...claims } = JSON.parse(Buffer.from(answer.body.token.split('.')[1], 'base64url').toString())
    t.match(claims, { id: answer.body.user._id, sid: /^[0-9a-f-]{36}$/ })
    t.equal(exp - iat, 86_400)
    t.match(await server.call('GET', '/api/auth/me', { token: answer.body.token }), {
      status: 200,
      body: { success: true, user: { ...answer.body.user, email: 'ada@example.org', isAdmin: false, createdAt: /Z$/ } }
    })
    t.equal((await server.app.verifyToken(answer.body.token)).expiresAt?.toISOString().slice(0, 16), answer.body.expiresAt.slice(0, 16))
  })

  await t.test('the database holds no password and no refresh token', async t => {
    const { body } = await post('login', { username: 'Ada.L', password: input.password })
    const stored = JSON.stringify([await server.app.accounts.users.find().toArray(), await server.app.accounts.sessions.find().toArray()])
    t.match(stored, /argon2id/)
    t.notMatch(stored, input.password)
    t.notMatch(stored, body.refreshToken)
    t.notMatch(stored, body.refreshToken.slice(22))
  })

  await t.test('names and addresses are unique, ignoring case', async t => {
    t.match(await post('register', { ...input, username: 'aDA.l', email: 'other@example.org' }), { status: 409, body: { success: false, code: 'USERNAME_TAKEN' } })
    t.match(await post('register', { ...input, username: 'other', email: 'aDa@eXample.ORG' }), { status: 409, body: { success: false, code: 'EMAIL_TAKEN' } })
    const racing = await Promise.all(['race', 'RACE', 'Race', 'rAce'].map((username, i) => post('register', { ...input, username, email: `race${i}@example.org` })))
    t.same(racing.map(({ status }) => status).sort(), [201, 409, 409, 409])
    const sameMail = await Promise.all(['m1', 'm2', 'm3'].map(name => post('register', { ...input, username: `mail-${name}`, email: 'one@example.org' })))
    t.same(sameMail.map(({ status }) => status).sort(), [201, 409, 409])
  })

  await t.test('names and addresses of the host application\'s users count too', async t => {
    await server.app.chat.collections.users.insertOne({ _id: new ObjectId(), fullName: 'H', username: 'hosted', email: 'hosted@example.org' })
    t.match(await post('register', { ...input, username: 'hosted', email: 'h2@example.org' }), { status: 409, body: { code: 'USERNAME_TAKEN' } })
    t.match(await post('register', { ...input, username: 'hosted2', email: 'Hosted@example.org' }), { status: 409, body: { code: 'EMAIL_TAKEN' } })
  })

  await t.test('every field is checked, and the error names it', async t => {
    const wrong: Record<string, unknown[]> = {
      fullName: [...strange, '   ', 'a\nb', '\ud800', 'x'.repeat(101)],
      username: [...strange, 'ab', 'x'.repeat(33), 'a b c', 'ädä', '$where', 'a@b', '<b>'],
      email: [...strange, 'a', 'a@', '@b.de', 'a@b', 'a b@c.de', `${'x'.repeat(250)}@b.de`, 'a@b.de\n'],
      password: [...strange, 'seven77', 'x'.repeat(201), 'null\u0000byte'],
      profilePicture: [1, true, {}, { $ne: 1 }, [], '', 'x', 'javascript:alert(1)', 'data:image/png;base64,x', 'ftp://a/b', '//a/b', `https://a/${'x'.repeat(2_000)}`, 'https://a/"onload="x', 'https://a/ b']
    }
    for (const [field, values] of Object.entries(wrong)) {
      for (const value of values) {
        const answer = await post('register', { ...input, username: 'valid-name', email: 'valid@example.org', [field]: value })
        t.match(answer, { status: 400, body: { success: false, code: 'VALIDATION', message: new RegExp(field) } }, `${field} ${JSON.stringify(value).slice(0, 30)}`)
      }
      const { [field]: _, ...rest } = { ...input, username: 'valid-name', email: 'valid@example.org' } as Record<string, unknown>
      if (field !== 'profilePicture') t.match(await post('register', rest), { status: 400, body: { message: `${field} is required` } })
    }
    for (const body of [null, [], 'text', 1]) t.match(await post('register', body), { status: 400, body: { code: 'VALIDATION' } }, JSON.stringify(body))
    const raw = async (body: string, type = 'application/json') => {
      const { status, text } = await request(`${server.url}/api/auth/register`, { method: 'POST', body, headers: { 'content-type': type } })
      return { status, body: JSON.parse(text) as unknown }
    }
    for (const text of ['{', '{"username":', '\u0000', 'undefined', '{"__proto__": {"username": "x"}}', JSON.stringify(input).replace('{', '{"constructor": {"prototype": {}},')]) {
      t.match(await raw(text), { status: 400, body: { success: false, code: 'VALIDATION' } }, text.slice(0, 30))
    }
    t.match(await raw(JSON.stringify({ ...input, more: 'x'.repeat(1_100_000) })), { status: 413, body: { success: false, code: 'TOO_LARGE' } })
    t.match(await raw('<a/>', 'application/xml'), { status: 415, body: { success: false, code: 'UNSUPPORTED_MEDIA_TYPE' } })
    t.match(await post('register', { ...input, username: 'valid-name', email: 'valid@example.org', profilePicture: 'https://example.org/ä?x=1#y', fullName: ' 李 小龙 👋 ' }), {
      status: 201, body: { user: { fullName: '李 小龙 👋', profilePicture: 'https://example.org/ä?x=1#y' } }
    })
  })

  await t.test('you log in by user name or e-mail address, in any case', async t => {
    for (const who of [{ username: 'Ada.L' }, { username: 'ada.l' }, { email: 'ada@example.org' }, { email: 'ADA@example.org' }]) {
      t.match(await post('login', { ...who, password: input.password }), { status: 200, body: { success: true, token: String, refreshToken: String, expiresAt: String, user: { username: 'Ada.L' } } }, JSON.stringify(who))
    }
  })

  await t.test('an unknown account and a wrong password get the same answer', async t => {
    const answers = await Promise.all([
      post('login', { username: 'Ada.L', password: 'password-2' }), post('login', { email: 'ada@example.org', password: ' password-1' }),
      post('login', { username: 'nobody', password: 'password-1' }), post('login', { username: 'hosted', password: 'password-1' })
    ])
    for (const answer of answers) t.same([answer.status, answer.body], [401, answers[0]?.body])
    t.match(answers[0]?.body, { success: false, code: 'INVALID_CREDENTIALS' })
    for (const field of ['username', 'email', 'password']) {
      for (const value of strange) {
        const answer = await post('login', { username: 'Ada.L', password: 'password-1', [field]: value })
        if (value === '\u0000' && field !== 'password') t.match(answer, { status: 401 }, 'a strange name is nobody\'s')
        else t.match(answer, { status: 400, body: { code: 'VALIDATION', message: new RegExp(field) } }, `${field} ${JSON.stringify(value).slice(0, 30)}`)
      }
    }
    t.match(await post('login', { password: 'password-1' }), { status: 400, body: { message: 'email or username is required' } })
    t.match(await post('login', { username: 'Ada.L' }), { status: 400, body: { message: 'password is required' } })
  })

  await t.test('a login with a bcrypt hash of the host application replaces it by argon2id', async t => {
    const { users } = server.app.chat.collections
    const _id = new ObjectId()
    await users.insertOne({ _id, fullName: 'Old Hash', username: 'Old Hash!', email: 'old@example.org', password: (await bcrypt.hash('short', 4)).replace(/^\$2[by]\$/, '$2a$') })
    t.match(await post('login', { username: 'Old Hash!', password: 'Short' }), { status: 401 })
    t.match((await users.findOne({ _id }))?.password, /^\$2a\$/, 'a failure changes nothing')
    t.match(await post('login', { username: 'Old Hash!', password: 'short' }), { status: 200, body: { user: { _id: _id.toHexString() } } })
    t.match((await users.findOne({ _id }))?.password, /^\$argon2id\$/)
    t.match(await post('login', { email: 'OLD@example.org', password: 'short' }), { status: 200 })
  })

  await t.test('a login to a deactivated account says so if the password is right', async t => {
    await server.register('sleeping')
    await server.app.chat.collections.users.updateOne({ username: 'sleeping' }, { $set: { isActive: false } })
    t.match(await post('login', { username: 'sleeping', password: 'password-1' }), { status: 403, body: { code: 'NOT_ALLOWED' } })
    t.match(await post('login', { username: 'sleeping', password: 'password-2' }), { status: 401, body: { code: 'INVALID_CREDENTIALS' } })
  })
})

t.test('sessions', async t => {
  const server = await startApp(t, { JWT_SECRET: secret })
  const refresh = (refreshToken: unknown) => server.call('POST', '/api/auth/refresh', { body: { refreshToken } })
  const me = (token: string) => server.call('GET', '/api/auth/me', { token })
  const loginAs = async (username: string) => (await server.call('POST', '/api/auth/login', { body: { username, password: 'password-1' } })).body
  const heard: unknown[] = []
  server.app.revocations.on('revoked', revoked => { heard.push(revoked) })

  await t.test('a refresh token is exchanged for the next pair', async t => {
    const first = await server.register('refresher')
    const second = await refresh(first.refreshToken)
    t.match(second, { status: 200, body: { success: true, token: String, expiresAt: String, user: { _id: first.id } } })
    t.not(second.body.refreshToken, first.refreshToken)
    const third = await refresh(second.body.refreshToken)
    for (const token of [first.token, second.body.token, third.body.token]) t.match(await me(token), { status: 200 })
  })

  await t.test('after a lost answer a token can be exchanged again until its successor is used', async t => {
    const first = await server.register('loser')
    const lost = await refresh(first.refreshToken)
    const again = await refresh(first.refreshToken)
    t.match(again, { status: 200, body: { refreshToken: String } })
    t.not(again.body.refreshToken, lost.body.refreshToken)
    t.match(await me(again.body.token), { status: 200 })
    t.match(await refresh(first.refreshToken), invalidRefresh, 'its successor was used by a call')
    t.match(await me(again.body.token), invalidToken)
  })

  await t.test('a successor that was used for a refresh or on a socket ends its predecessor', async t => {
    const uses = {
      refresher: async (next: { refreshToken: string }) => { await refresh(next.refreshToken) },
      socketeer: async (next: { token: string }) => { await connect(t, server.url, next.token) }
    }
    for (const [name, use] of Object.entries(uses)) {
      const { refreshToken } = await server.register(`used-by-${name}`)
      await use((await refresh(refreshToken)).body)
      t.match(await refresh(refreshToken), invalidRefresh, name)
    }
  })

  await t.test('using a successor that was replaced before use ends the session', async t => {
    const { refreshToken } = await server.register('replaced')
    const [one, two] = [await refresh(refreshToken), await refresh(refreshToken)]
    t.match(await refresh(one.body.refreshToken), invalidRefresh)
    t.match(await refresh(two.body.refreshToken), invalidRefresh)
  })

  await t.test('a token that was used long ago does not prevent repeating a lost refresh', async t => {
    const first = await server.register('steady')
    await me(first.token)
    const second = (await refresh(first.refreshToken)).body
    await me(second.token)
    await refresh(second.refreshToken)
    await me(second.token)
    t.match(await refresh(second.refreshToken), { status: 200 }, 'the access token before is no use of the successor')
  })

  await t.test('a former refresh token ends its own session only, whenever it was exchanged', async t => {
    for (const age of [1, 3]) {
      const { refreshToken, token } = await server.register(`reuser-${age}`)
      const other = await loginAs(`reuser-${age}`)
      let latest = { refreshToken, token }
      for (let i = 0; i < age; i++) latest = (await refresh(latest.refreshToken)).body
      await me(latest.token)
      t.match(await refresh(refreshToken), invalidRefresh, 'the former one')
      t.match(await refresh(latest.refreshToken), invalidRefresh, 'the newest one')
      t.match(await me(latest.token), invalidToken)
      t.match(await me(token), invalidToken)
      t.match(await me(other.token), { status: 200 })
      t.match(await refresh(other.refreshToken), { status: 200 })
    }
  })

  await t.test('overlapping refreshes get the same answer', async t => {
    const { refreshToken } = await server.register('doubler')
    const answers = await Promise.all([server.app, server.app, server.app].map(app =>
      app.inject({ method: 'POST', url: '/api/auth/refresh', payload: { refreshToken } })))
    t.same(answers.map(({ statusCode }) => statusCode), [200, 200, 200])
    t.equal(new Set(answers.map(answer => answer.json<{ refreshToken: string }>().refreshToken)).size, 1)
  })

  await t.test('an invented refresh token is refused and ends nothing', async t => {
    const { refreshToken } = await server.register('target')
    for (const wrong of ['x', 'A'.repeat(65), `${refreshToken}A`, refreshToken.slice(22), refreshToken.toUpperCase()]) t.match(await refresh(wrong), invalidRefresh)
    for (const wrong of strange.filter(value => value !== '\u0000')) t.match(await refresh(wrong), { status: 400, body: { message: /refreshToken/ } })
    t.match(await server.call('POST', '/api/auth/refresh', { body: {} }), { status: 400, body: { message: 'refreshToken is required' } })
    t.match(await refresh(refreshToken), { status: 200 })
  })

  await t.test('a session that was not refreshed in time has ended', async t => {
    const { refreshToken } = await server.register('sleeper')
    await server.app.accounts.sessions.updateMany({}, { $set: { expiresAt: new Date(Date.now() - 1) } })
    t.match(await refresh(refreshToken), invalidRefresh)
  })

  await t.test('a logout ends its session and closes its sockets', async t => {
    const one = await server.register('leaver')
    const two = await loginAs('leaver')
    const { sid } = JSON.parse(Buffer.from(one.token.split('.')[1]!, 'base64url').toString())
    heard.length = 0
    t.match(await server.call('POST', '/api/auth/logout', { token: one.token }), { status: 200, body: { success: true } })
    t.same(heard, [{ userId: one.id, sessionId: sid }])
    t.match(await me(one.token), invalidToken)
    t.match(await refresh(one.refreshToken), invalidRefresh)
    t.match(await me(two.token), { status: 200 })
    t.match(await server.call('POST', '/api/auth/logout', { token: one.token }), invalidToken, 'once')
    t.match(await server.call('POST', '/api/auth/logout'), { status: 401, body: { code: 'NO_TOKEN' } })
    for (const everywhere of ['true', 1, null, {}]) t.match(await server.call('POST', '/api/auth/logout', { token: two.token, body: { everywhere } }), { status: 400, body: { message: /everywhere/ } })
  })

  await t.test('a logout everywhere ends all sessions, and a new one in the same second is valid', async t => {
    const one = await server.register('mover')
    const two = await loginAs('mover')
    const foreign = hs256({ id: one.id, iat: Math.floor(Date.now() / 1_000) }, secret)
    const undated = hs256({ id: one.id }, secret)
    t.match(await me(foreign), { status: 200 })
    heard.length = 0
    t.match(await server.call('POST', '/api/auth/logout', { token: two.token, body: { everywhere: true } }), { status: 200 })
    t.same(heard, [{ userId: one.id }])
    for (const token of [one.token, two.token, foreign, undated]) t.match(await me(token), invalidToken)
    t.match(await refresh(one.refreshToken), invalidRefresh)
    const three = await loginAs('mover')
    t.match(await me(three.token), { status: 200 })
    t.match(await refresh(three.refreshToken), { status: 200 })
    t.match(await me(hs256({ id: one.id, iat: Math.floor(Date.now() / 1_000) + 1 }, secret)), { status: 200 }, 'a host application\'s token of later')
  })

  await t.test('a host application\'s token is logged out with its session, or alone', async t => {
    const { id } = await server.register('hosted-session')
    const [a, b, c] = [hs256({ id, sid: 'abc', n: 1 }, secret), hs256({ id, sid: 'abc', n: 2 }, secret), hs256({ id }, secret)]
    await server.call('POST', '/api/auth/logout', { token: a })
    t.match(await me(b), invalidToken)
    t.match(await me(c), { status: 200 })
    await server.call('POST', '/api/auth/logout', { token: c })
    t.match(await me(c), invalidToken)
    const rewritten = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map(last => c.slice(0, -1) + last)
    for (const token of rewritten) t.match(await me(token), invalidToken, 'the same signature, written in another way')
  })

  await t.test('expired revocations are deleted, and many are merged into one', async t => {
    const { id, token } = await server.register('busy')
    const _id = new ObjectId(id)
    const { users } = server.app.accounts
    await users.updateOne({ _id }, { $set: { revokedSessions: [{ sid: 'past', until: new Date(Date.now() - 1) }, { sid: 'now', until: new Date(Date.now() + 60_000) }] } })
    await server.call('POST', '/api/auth/logout', { token })
    t.same((await users.findOne({ _id }))?.revokedSessions?.map(({ sid }) => sid === 'past' || sid === 'now' ? sid : 'this'), ['now', 'this'])
    const next = await loginAs('busy')
    await users.updateOne({ _id }, { $set: { revokedSessions: Array.from({ length: 200 }, (_, i) => ({ sid: `s${i}`, until: new Date(Date.now() + 60_000) })) } })
    await server.call('POST', '/api/auth/logout', { token: next.token })
    const row = await users.findOne({ _id })
    t.same(row?.revokedSessions, [])
    t.type(row?.tokensValidFrom, Date)
    t.match(await me(next.token), invalidToken)
  })
})

t.test('limits', async t => {
  const server: TestApp = await startApp(t, { RATE_LIMIT_LOGIN: '3', RATE_LIMIT_REGISTER: '2' })
  const login = (username: string, password: string) => server.call('POST', '/api/auth/login', { body: { username, password } })
  await server.register('limited')
  await server.register('another')
  const third = await server.call('POST', '/api/auth/register', { body: { ...input } })
  t.match(third, tooMany, 'registrations of an address')
  t.match(third.headers.get('retry-after'), /^[1-9]\d*$/)

  for (let i = 0; i < 5; i++) t.match(await login('limited', 'password-1'), { status: 200 }, 'what succeeds is not counted')
  const burst = await Promise.all(Array.from({ length: 8 }, () => login('limited', 'wrong')))
  t.same(burst.map(({ status }) => status).sort(), [401, 401, 401, 429, 429, 429, 429, 429], 'failures of a burst are counted one by one')
  t.match(await login('LIMITED', 'password-1'), tooMany, 'the right password waits too')
  const byMail = await server.call('POST', '/api/auth/login', { body: { email: 'limited@example.org', password: 'password-1' } })
  t.match(byMail, tooMany, 'under the other name of the account as well')
  t.match(await login('another', 'password-1'), { status: 200 }, 'another account does not')
  const guesses = await Promise.all([...Array.from({ length: 20 }, (_, i) => `guess-${i}`), 'password-1'].map(password =>
    server.app.inject({ method: 'POST', url: '/api/auth/login', payload: { username: 'another', password } })))
  t.equal(guesses.at(-1)?.statusCode, 429, 'the right guess of a burst comes too late')
  for (let i = 0; i < 3; i++) t.match(await login('nobody', 'wrong'), { status: 401 })
  t.match(await login('nobody', 'wrong'), tooMany, 'an account that does not exist is limited alike')
})

t.test('limits of requests per user', async t => {
  const server = await startApp(t, { RATE_LIMIT_REQUESTS: '20' })
  const { token } = await server.register('limited')
  const requests = await Promise.all(Array.from({ length: 25 }, () => server.call('GET', '/api/auth/me', { token })))
  t.same([200, 429].map(status => requests.filter(answer => answer.status === status).length), [20, 5], 'requests of a user')
  const strangers = await Promise.all(Array.from({ length: 25 }, () => server.call('GET', '/api/auth/me')))
  t.same([401, 429].map(status => strangers.filter(answer => answer.status === status).length), [19, 6], 'requests of an address without a good token, its registration among them')
  for (const path of ['register', 'login', 'refresh', 'logout']) t.match(await server.call('POST', `/api/auth/${path}`, { body: {} }), tooMany, path)
})
