import type { Person } from '../people.ts'
import type { Answer } from '../rest.ts'
import { type Cast } from './cast.ts'

const refusals = { none: 'Authentication error: No token provided', invalid: 'Authentication error: Invalid token' }

/** Only valid tokens are accepted. */
export async function strangeTokens (cast: Cast): Promise<void> {
  const { sheet, ada, bob } = cast
  const [header, payload, signature] = ada.token.split('.') as [string, string, string]
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
  const bad: Record<string, string> = {
    'a token of nonsense': 'nonsense',
    'a token without a signature': `${header}.${payload}.`,
    'a token of no algorithm': `${encode({ alg: 'none', typ: 'JWT' })}.${payload}.`,
    'a token of another algorithm': `${encode({ alg: 'HS512', typ: 'JWT' })}.${payload}.${signature}`,
    'a token of another user under this signature': `${header}.${encode({ ...claims, id: bob.id })}.${signature}`,
    'a token that was made longer': `${header}.${encode({ ...claims, exp: 4_000_000_000 })}.${signature}`,
    'a token with another signature': `${header}.${payload}.${bob.token.split('.')[2]!}`,
    'a very long token': 'x'.repeat(8_000)
  }
  for (const [what, token] of Object.entries(bad)) {
    sheet.is(`${what} is 401 over REST`, await cast.call({ ...ada, token }, 'GET', '/api/messages/unread-count'), { status: 401, body: { success: false, code: 'INVALID_TOKEN', message: refusals.invalid } })
    sheet.is(`${what} is refused at a socket`, await cast.unopened(ada, { token }).connect(), refusals.invalid)
  }
  sheet.is('no token is 401 over REST', await cast.open('GET', '/api/messages/unread-count'), { status: 401, body: { code: 'NO_TOKEN', message: refusals.none } })
  for (const auth of [{}, { token: '' }, { token: null }]) sheet.is(`no token is refused at a socket, ${JSON.stringify(auth)}`, await cast.unopened(ada, auth).connect(), refusals.none)
  for (const token of [{}, [], 7, { $ne: null }]) sheet.is(`what is no text is no token: ${JSON.stringify(token)}`, await cast.unopened(ada, { token }).connect(), refusals.invalid)
}

interface Account extends Person { refreshToken: string, username: string, email: string, password: string }

/** Sessions begin, continue and end. When a session ends, its sockets are closed at once. */
export async function sessions (cast: Cast): Promise<void> {
  const { sheet, bob } = cast
  const fields = { fullName: 'Scene', username: cast.name('s').replaceAll('.', '-'), password: `Scene ${Math.random()}` }
  const email = `${fields.username}@example.org`
  const made = await cast.open('POST', '/api/auth/register', { ...fields, email })
  if (made.status === 404) return sheet.skip('sessions: the deployment begins none')
  const grant = { success: true, token: /^[\w-]+\.[\w-]+\.[\w-]+$/, expiresAt: /^\d{4}-.*Z$/, refreshToken: /./, user: { _id: /^[0-9a-f]{24}$/, fullName: 'Scene', username: fields.username, profilePicture: null } }
  sheet.is('registering begins a session', made, { status: 201, body: grant })
  const as = ({ body }: Answer): Account => ({ id: body.user?._id as string, token: body.token as string, name: 'scene', refreshToken: body.refreshToken as string, email, ...fields })
  const first = as(made)
  sheet.is('a user name is there once', await cast.open('POST', '/api/auth/register', { ...fields, username: fields.username.toUpperCase(), email: `other-${email}` }), { status: 409, code: 'USERNAME_TAKEN' })
  sheet.is('an address is there once', await cast.open('POST', '/api/auth/register', { ...fields, username: `${fields.username.slice(0, 28)}-2`, email: email.toUpperCase() }), { status: 409, code: 'EMAIL_TAKEN' })
  const login = async (body: object) => await cast.open('POST', '/api/auth/login', body)
  const [byName, byEmail] = [await login({ username: fields.username, password: fields.password }), await login({ email, password: fields.password })]
  for (const answer of [byName, byEmail]) sheet.is('a login begins a session', answer, { status: 200, body: grant })
  const [wrong, unknown] = [await login({ username: fields.username, password: 'wrong' }), await login({ username: 'nobody.at.all', password: 'wrong' })]
  sheet.is('a wrong password is 401', wrong, { status: 401, code: 'INVALID_CREDENTIALS' })
  sheet.is('an unknown account is answered like a wrong password', unknown.body, wrong.body, 6)
  const second = as(byName)
  sheet.is('one sees one\'s own account', await cast.call(second, 'GET', '/api/auth/me'), { status: 200, body: { user: { _id: first.id, email } } })

  const refresh = async (refreshToken: string) => await cast.open('POST', '/api/auth/refresh', { refreshToken })
  const refreshed = await refresh(second.refreshToken)
  sheet.is('a refresh continues a session', refreshed, { status: 200, body: grant })
  sheet.that('a refresh brings another refresh token', refreshed.body.refreshToken !== second.refreshToken)
  const third = as(refreshed)
  sheet.is('a token of a refresh is good', await cast.call(third, 'GET', '/api/auth/me'), { status: 200 })
  sheet.is('an exchanged refresh token is refused', await refresh(second.refreshToken), { status: 401, code: 'INVALID_REFRESH_TOKEN' })
  sheet.is('its reuse ends the session', await refresh(third.refreshToken), { status: 401, code: 'INVALID_REFRESH_TOKEN' })

  const fourth = as(byEmail)
  const [one, other] = [await cast.phone(first), await cast.phone(fourth)]
  sheet.is('a socket does not go on under a token of another user', await one.ask('refreshToken', { token: bob.token }), { success: false, code: 'NOT_ALLOWED' })
  sheet.is('a socket does not go on under a token that is none', await one.ask('refreshToken', { token: 'nonsense' }), { success: false, code: 'INVALID_TOKEN' })
  sheet.is('a logout ends its session', await cast.call(fourth, 'POST', '/api/auth/logout', {}), { status: 200, body: { success: true } })
  sheet.that('a logout closes the sockets of its session', await other.end(), 'the socket is still open')
  sheet.is('after a logout the token is refused', await cast.call(fourth, 'GET', '/api/auth/me'), { status: 401, code: 'INVALID_TOKEN' })
  sheet.is('after a logout the refresh token is refused', await refresh(fourth.refreshToken), { status: 401, code: 'INVALID_REFRESH_TOKEN' })
  sheet.is('a logout leaves other sessions alone', await one.ask('setupUser', {}), { success: true })

  const fifth = as(await login({ email, password: fields.password }))
  sheet.is('a socket goes on under a newer token of its user', await one.ask('refreshToken', { token: fifth.token }), { success: true })
  await cast.call(first, 'POST', '/api/auth/logout', {})
  sheet.is('and does not end with the session that it came from', await one.ask('setupUser', {}), { success: true })
  const [sixth, more] = [as(await login({ email, password: fields.password })), await cast.phone(fifth)]
  sheet.is('a logout everywhere is acknowledged', await cast.call(sixth, 'POST', '/api/auth/logout', { everywhere: true }), { status: 200 })
  sheet.that('a logout everywhere closes all sockets', await one.end() && await more.end(), 'a socket is still open')
  for (const account of [fifth, sixth]) {
    sheet.is('after a logout everywhere no token is good', await cast.call(account, 'GET', '/api/auth/me'), { status: 401, code: 'INVALID_TOKEN' })
    sheet.is('after a logout everywhere no refresh token is good', await refresh(account.refreshToken), { status: 401 })
    sheet.is('after a logout everywhere no socket is let in', await cast.unopened(account).connect(), refusals.invalid)
  }
}

/** Longest token lifetime, in milliseconds, whose end the scene waits for. */
const lifeMsMax = 15_000

/** A socket is closed when its token expires. */
export async function expiry (cast: Cast): Promise<void> {
  const { sheet } = cast
  const somebody = await cast.somebody()
  const expiresAt = somebody === undefined ? Infinity : Number((JSON.parse(Buffer.from(somebody.token.split('.')[1]!, 'base64url').toString()) as { exp?: number }).exp ?? Infinity) * 1_000
  if (somebody === undefined || expiresAt - Date.now() > lifeMsMax) return sheet.skip(`the end of a token: they live for more than ${lifeMsMax / 1_000} seconds (ACCESS_TOKEN_TTL)`)
  const phone = await cast.phone(somebody)
  while (phone.gone === undefined && Date.now() < expiresAt + cast.patienceMs) await phone.end()
  sheet.is('the end of a token is announced', phone.all('tokenExpiring')[0], { expiresAt: new Date(expiresAt).toISOString() })
  sheet.is('the end of a token is told', phone.all('tokenExpired').length, 1)
  sheet.that('a socket ends with its token', phone.gone !== undefined && Math.abs(Date.now() - expiresAt) < cast.patienceMs, phone.gone ?? 'it is still open')
  sheet.is('an expired token is 401', await cast.call(somebody, 'GET', '/api/auth/me'), { status: 401, body: { code: 'INVALID_TOKEN', message: refusals.invalid } })
  sheet.is('an expired token is refused at a socket', await cast.unopened(somebody).connect(), refusals.invalid)
}
