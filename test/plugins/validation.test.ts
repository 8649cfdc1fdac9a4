import { gzipSync } from 'node:zlib'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { request } from '../helpers/request.ts'

t.test('request bodies and addresses', async t => {
  const { call, register, url } = await startApp(t)
  const { token } = await register('ada')

  t.test('a JSON content type without a body is a request without a body', async t => {
    const headers = { 'content-type': 'application/json' }
    t.not((await call('DELETE', '/api/users/000000000000000000000000/block', { token, headers })).status, 400)
    t.match(await call('POST', '/api/auth/login', { headers }), { status: 400, body: { success: false, code: 'VALIDATION' } })
  })

  t.test('text that is not JSON, another content type and a body that is too large have their own errors', async t => {
    const send = async (body: string, type: string) => {
      const { status, text } = await request(`${url}/api/auth/login`, { method: 'POST', headers: { 'content-type': type }, body })
      return { status, body: JSON.parse(text) as unknown }
    }
    t.match(await send('{"username":', 'application/json'), { status: 400, body: { code: 'VALIDATION' } })
    t.match(await send('<a/>', 'text/xml'), { status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } })
    t.match(await send(`"${'x'.repeat(1_100_000)}"`, 'application/json'), { status: 413, body: { code: 'TOO_LARGE' } })
    t.match(await send('{"__proto__":{"x":1}}', 'application/json'), { status: 400, body: { code: 'VALIDATION' } })
    t.match(await send('{}', 'text/plain'), { status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } })
  })

  t.test('a body that is not UTF-8, or encoded once more, has its own error', async t => {
    const send = async (body: Buffer, headers: Record<string, string> = {}) => {
      const answer = await fetch(`${url}/api/auth/login`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
      return { status: answer.status, body: await answer.json() as unknown }
    }
    const latin1 = Buffer.from('{"username":"ad\xe4","password":"password-1"}', 'latin1')
    t.match(await send(latin1), { status: 400, body: { code: 'VALIDATION', message: 'The body is not UTF-8' } })
    t.match(await send(gzipSync('{}'), { 'content-encoding': 'gzip' }), { status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } })
    t.match(await send(Buffer.from('{"username":"ada","password":"password-1"}'), { 'content-encoding': 'identity' }), { status: 200 })
  })

  t.test('every write refuses an unknown field by its name', async t => {
    for (const [method, path, body, field] of [
      ['PATCH', '/api/users/me', { password: 'another-1' }, 'password'],
      ['POST', '/api/rooms', { name: 'x', private: true }, 'private'],
      ['POST', '/api/messages', { receiverId: 'f'.repeat(24), content: 'x', clientMessageID: 'm' }, 'clientMessageID'],
      ['POST', '/api/rooms/den/messages', { content: 'x', listingId: 'f'.repeat(24) }, 'listingId'],
      ['POST', '/api/sync', { cursor: {} }, 'cursor'],
      ['POST', '/api/auth/logout', { everyWhere: true }, 'everyWhere'],
      ['PUT', `/api/users/${'f'.repeat(24)}/block`, { on: false }, 'on'],
      ['DELETE', '/api/rooms/den', { force: true }, 'force']
    ] as const) {
      const { status, body: answer } = await call(method, path, { token, body })
      t.match({ status, answer }, { status: 400, answer: { code: 'VALIDATION', message: new RegExp(`^${field} is not a known field`) } }, `${method} ${path}`)
    }
    const { body: { results } } = await call('POST', '/api/sync/push', { token, body: { operations: [{ opId: '1', type: 'send', roomId: 'den', content: 'x', clientMessageID: 'm' }] } })
    t.match(results, [{ opId: '1', success: false, code: 'VALIDATION', message: 'clientMessageID is not a known field' }])
    t.match(await call('POST', '/api/nothing', { token, body: { x: 1 } }), { status: 404 })
  })

  t.test('the sync of legacy clients ignores unknown fields', async t => {
    t.match(await call('POST', '/api/messages/sync-conversation', { token, body: { otherUserId: 'f'.repeat(24), platform: 'web' } }), { status: 200 })
  })

  t.test('an unknown address gets the usual failure body', async t => {
    t.match(await call('GET', '/api/nothing?q=1'), { status: 404, body: { success: false, code: 'NOT_FOUND', message: 'There is no GET /api/nothing' } })
  })

  t.test('a malformed or overlong address gets it too', async t => {
    for (const path of ['/api/users/%ff', '/api/users/%', `/api/users/${'x'.repeat(3_000)}`]) t.match(await call('GET', path, { token }), { status: 400, body: { success: false, code: 'VALIDATION', retryable: false } }, path.slice(0, 20))
  })
})
