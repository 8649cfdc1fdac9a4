import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { request } from '../helpers/request.ts'

t.test('what a request may hold', async t => {
  const { call, register, url } = await startApp(t)
  const { token } = await register('ada')

  t.test('a JSON content type without a body is a request without a body', async t => {
    const headers = { 'content-type': 'application/json' }
    t.not((await call('DELETE', '/api/users/000000000000000000000000/block', { token, headers })).status, 400)
    t.match(await call('POST', '/api/auth/login', { headers }), { status: 400, body: { success: false, code: 'VALIDATION' } })
  })

  t.test('text that is no JSON, another content type and too much of it have their own errors', async t => {
    const send = async (body: string, type: string) => {
      const { status, text } = await request(`${url}/api/auth/login`, { method: 'POST', headers: { 'content-type': type }, body })
      return { status, body: JSON.parse(text) as unknown }
    }
    t.match(await send('{"username":', 'application/json'), { status: 400, body: { code: 'VALIDATION' } })
    t.match(await send('<a/>', 'text/xml'), { status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } })
    t.match(await send(`"${'x'.repeat(1_100_000)}"`, 'application/json'), { status: 413, body: { code: 'TOO_LARGE' } })
    t.match(await send('{"__proto__":{"x":1}}', 'application/json'), { status: 400, body: { code: 'VALIDATION' } })
  })

  t.test('an unknown address answers like any other failure', async t => {
    t.match(await call('GET', '/api/nothing?q=1'), { status: 404, body: { success: false, code: 'NOT_FOUND', message: 'There is no GET /api/nothing' } })
  })

  t.test('an address that is none, or too long, is refused in the same form', async t => {
    for (const path of ['/api/users/%ff', '/api/users/%', `/api/users/${'x'.repeat(3_000)}`]) t.match(await call('GET', path, { token }), { status: 400, body: { success: false, code: 'VALIDATION', retryable: false } }, path.slice(0, 20))
  })
})
