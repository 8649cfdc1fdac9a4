import t from 'tap'
import { startApp } from '../helpers/app.ts'

t.test('every answer has the headers that protect browsers, also failures', async t => {
  const { call } = await startApp(t)
  for (const [path, status] of [['/health/live', 200], ['/api/auth/me', 401], ['/nowhere', 404], ['/documentation/json', 200]] as const) {
    const response = await call('GET', path)
    t.equal(response.status, status, path)
    const expected = {
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'cross-origin',
      'cross-origin-opener-policy': 'same-origin',
      'strict-transport-security': /^max-age=\d{7,}/,
      'content-security-policy': /default-src 'self';.*connect-src 'self' ws: wss:/
    }
    for (const [name, value] of Object.entries(expected)) t.match(response.headers.get(name), value, `${path}: ${name}`)
    t.notMatch(response.headers.get('content-security-policy'), /upgrade-insecure-requests/)
  }
})
