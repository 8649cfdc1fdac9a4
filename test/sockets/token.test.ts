import { mock } from 'node:test'
import t from 'tap'
import { TokenTimer, expiryWarningAt } from '../../src/sockets/token-timer.ts'
import { startApp } from '../helpers/app.ts'
import { connect } from '../helpers/sockets.ts'
import { hs256 } from '../helpers/tokens.ts'

const secret = 'a secret of sixteen characters'
const { url, register, call } = await startApp(t, { JWT_SECRET: secret })
const [ann, bob] = [await register('ann'), await register('bob')]

/** A token that has most of its life behind it. */
function ageing (id: string, secondsLeft: number): string {
  const now = Math.floor(Date.now() / 1_000)
  return hs256({ id, sid: 'old session', iat: now - 60, exp: now + secondsLeft }, secret)
}

t.test('the end of a token is announced, and closes the socket unless it is refreshed', async t => {
  const token = ageing(ann.id, 2)
  const [kept, left] = await Promise.all([connect(t, url, token), connect(t, url, token)])
  const { expiresAt } = await kept.wait('tokenExpiring')
  t.equal(new Date(expiresAt as string).getTime() % 1_000, 0)
  t.match(await kept.ask('refreshToken', { token: 'garbage' }), { success: false, code: 'INVALID_TOKEN', message: 'Authentication error: Invalid token' })
  t.match(await kept.ask('refreshToken', { token: bob.token }), { success: false, code: 'NOT_ALLOWED' })
  t.match(await kept.ask('refreshToken', { token: ann.token }), { success: true, expiresAt: String })
  t.equal(await left.gone, 'io server disconnect')
  t.same(left.all('tokenExpired'), [{ expiredAt: expiresAt }])
  t.match(await kept.ask('sendDirectMessage', { receiverId: bob.id, content: 'still here' }), { success: true })
  t.same(kept.all('tokenExpired'), [])
  await t.rejects(connect(t, url, token), { message: 'Authentication error: Invalid token' })
})

t.test('a logout closes the sockets of its session, and a logout everywhere closes all', async t => {
  const again = (await call('POST', '/api/auth/login', { body: { username: 'bob', password: 'password-1' } })).body.token as string
  const [first, second, other] = await Promise.all([connect(t, url, bob.token), connect(t, url, again), connect(t, url, ann.token)])
  t.equal((await call('POST', '/api/auth/logout', { token: bob.token, body: {} })).status, 200)
  await first.gone
  t.match(await second.ask('setupUser'), { success: true })
  t.equal((await call('POST', '/api/auth/logout', { token: again, body: { everywhere: true } })).status, 200)
  await second.gone
  t.match(await other.ask('setupUser'), { success: true })
})

t.test('a refreshed socket belongs to the newer session', async t => {
  const login = async () => (await call('POST', '/api/auth/login', { body: { username: 'ann', password: 'password-1' } })).body.token as string
  const [before, after] = [await login(), await login()]
  const socket = await connect(t, url, before)
  t.match(await socket.ask('refreshToken', { token: after }), { success: true })
  await call('POST', '/api/auth/logout', { token: before, body: {} })
  t.match(await socket.ask('setupUser'), { success: true })
  await call('POST', '/api/auth/logout', { token: after, body: {} })
  t.equal(await socket.gone, 'io server disconnect')
})

t.test('the notice comes a minute before the end, or a tenth of a shorter life', async t => {
  const at = (seconds: number) => new Date(seconds * 1_000)
  t.equal(expiryWarningAt(at(86_400), at(0), 0), 86_340_000)
  t.equal(expiryWarningAt(at(100), at(0), 0), 90_000)
  t.equal(expiryWarningAt(at(100), null, 50_000), 95_000)
  t.equal(expiryWarningAt(at(100), at(200), 0), 100_000)
})

t.test('a token that outlives the longest timer is still followed to its end', async t => {
  const start = Date.now()
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: start })
  t.teardown(() => { mock.timers.reset() })
  const told: string[] = []
  const clock = new TokenTimer(() => { told.push('expiring') }, () => { told.push('expired') })
  const days = 86_400_000
  clock.follow({ expiresAt: new Date(start + 60 * days), issuedAt: new Date(start) })
  mock.timers.tick(59 * days)
  t.same(told, [])
  mock.timers.tick(days - 60_000)
  t.same(told, ['expiring'])
  mock.timers.tick(60_000)
  t.same(told, ['expiring', 'expired'])
  clock.follow({ expiresAt: new Date(Date.now() + days), issuedAt: null })
  clock.follow({ expiresAt: null, issuedAt: null })
  mock.timers.tick(30 * days)
  t.same(told, ['expiring', 'expired'], 'only the newest token is followed')
})
