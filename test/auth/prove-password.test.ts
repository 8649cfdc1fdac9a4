import t from 'tap'
import { startApp } from '../helpers/app.ts'

const tooMany = { status: 429, body: { success: false, code: 'RATE_LIMITED', retryAfterMs: Number } }
const wrong = { status: 401, body: { code: 'INVALID_CREDENTIALS' } }

t.test('guesses from many addresses are slowed down without locking the owner out', async t => {
  const { call, register } = await startApp(t, { TRUST_PROXY: 'true', RATE_LIMIT_LOGIN_ACCOUNT: '5' })
  const login = (username: string, password: string, address: string) =>
    call('POST', '/api/auth/login', { body: { username, password }, headers: { 'x-forwarded-for': address } })
  const owner = await register('owner')
  t.match(await login('owner', 'password-1', '1.1.1.1'), { status: 200 }, 'the owner\'s other device')

  for (let i = 0; i < 5; i++) t.match(await login('owner', 'guess', `6.6.6.${i}`), wrong)
  t.match(await login('owner', 'guess', '7.7.7.7'), tooMany)
  t.match(await login('owner', 'password-1', '7.7.7.8'), tooMany, 'a right guess waits too')
  for (let i = 0; i < 5; i++) t.match(await login('nobody', 'guess', `6.6.7.${i}`), wrong)
  t.match(await login('nobody', 'guess', '7.7.7.9'), tooMany, 'an account that does not exist is no different')

  t.match(await login('owner', 'password-1', '1.1.1.1'), { status: 200 }, 'where the account was used before')
  t.match(await login('owner', 'password-1', '127.0.0.1'), { status: 200 }, 'where it was registered')
  const moved = await call('POST', '/api/auth/refresh', { body: { refreshToken: owner.refreshToken }, headers: { 'x-forwarded-for': '2.2.2.2' } })
  t.match(moved, { status: 200 }, 'a refresh token is not hurt')
  t.match(await login('owner', 'password-1', '2.2.2.2'), { status: 200 }, 'and makes its address known')
  t.match(await login('owner', 'guess', '1.1.1.1'), wrong, 'a mistake of the owner counts for this address alone')
})

t.test('an address that tries many names is stopped, and other addresses are not', async t => {
  const { call, register } = await startApp(t, { TRUST_PROXY: 'true', RATE_LIMIT_LOGIN_ADDRESS: '5' })
  await register('honest')
  const login = (username: string, password: string, address: string) =>
    call('POST', '/api/auth/login', { body: { username, password }, headers: { 'x-forwarded-for': address } })
  for (let i = 0; i < 5; i++) t.match(await login(`invented-${i}`, 'x', '2001:db8::1'), wrong)
  t.match(await login('invented-9', 'x', '2001:db8::2'), tooMany, 'its network is one address')
  t.match(await login('honest', 'password-1', '2001:db8:0:1::1'), { status: 200 })
  for (let i = 0; i < 10; i++) t.match(await login('honest', 'password-1', '3.3.3.3'), { status: 200 }, 'what succeeds is not counted')
})

t.test('a flood of logins from one address does not delay another address', async t => {
  const { app, register } = await startApp(t, { TRUST_PROXY: 'true' })
  await register('patient')
  const login = (username: string, password: string, address: string) =>
    app.inject({ method: 'POST', url: '/api/auth/login', payload: { username, password }, headers: { 'x-forwarded-for': address } })
  const ended: string[] = []
  let isFull = () => {}
  const full = new Promise<void>(resolve => { isFull = resolve })
  const flood = Array.from({ length: 300 }, async (_, i) => {
    const { statusCode } = await login(`invented-${i}`, 'x', '6.6.6.6')
    if (statusCode === 401) ended.push('flood')
    else isFull()
    return statusCode
  })
  await full
  const honest = login('patient', 'password-1', '1.1.1.1').then(({ statusCode }) => { ended.push('honest'); return statusCode })
  const statuses = await Promise.all(flood)
  t.equal(await honest, 200)
  t.ok(ended.length - ended.indexOf('honest') > 20, 'it does not wait behind the flood')
  t.same(new Set(statuses), new Set([401, 503]), 'what cannot be hashed soon is refused')
})
