import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { startApp } from '../../helpers/app.ts'
import { handpicked } from '../../helpers/junk.ts'

const { register, call } = await startApp(t, { RATE_LIMIT_SENDS: '0', RATE_LIMIT_REQUESTS: '0' })
const [ann, bob] = [await register('ann'), await register('bob')]
const id = 'f'.repeat(24)
const routes: Array<[string, string]> = [
  ['POST', '/api/messages'], ['PUT', `/api/messages/${id}`], ['POST', '/api/messages/sync-conversation'], ['POST', '/api/common-chat/message'], ['POST', '/api/rooms/den/messages'], ['POST', '/api/rooms'], ['PATCH', '/api/rooms/den'], ['PUT', '/api/rooms/den/members/me'], ['PUT', `/api/rooms/den/members/${id}`],
  ['PUT', `/api/rooms/den/bans/${id}`], ['PUT', `/api/messages/${id}/reactions/x`],
  ['DELETE', `/api/messages/${id}`], ['PATCH', `/api/messages/${id}/read`], ['PATCH', `/api/messages/conversations/${id}/read`]
]

t.test('junk in any route is refused with a clear error', async t => {
  for (const [method, path] of routes) {
    for (const body of handpicked(bob.id).filter(value => !Buffer.isBuffer(value))) {
      const answer = await call(method, path, { token: ann.token, body })
      const what = `${method} ${path} ${answer.text.slice(0, 100)}`
      assert.ok(answer.status < 500, what)
      if (answer.status >= 400) assert.deepEqual([answer.body.success, typeof answer.body.code, typeof answer.body.message], [false, 'string', 'string'], what)
    }
  }
  for (const path of [
    '/api/messages/x', '/api/messages/[$ne]', `/api/messages/${bob.id}?limit=0`, `/api/messages/${bob.id}?limit=501`, `/api/messages/${bob.id}?limit=x`, `/api/messages/${bob.id}?before=-1`,
    `/api/messages/${bob.id}?before[$gt]=1`, '/api/messages/sync-status?lastChecked=yesterday', '/api/messages/sync-status?lastChecked[$gt]=', '/api/messages/conversations?after=x', '/api/rooms/a%20b/messages'
  ]) {
    const answer = await call('GET', path, { token: ann.token })
    t.ok(answer.status === 400 || (path.includes('[$gt]') && answer.status === 200), `${path} ${answer.text.slice(0, 200)}`)
  }
})

t.test('no body of any shape makes any route fail with a server error', async t => {
  await fc.assert(fc.asyncProperty(fc.constantFrom(...routes), fc.jsonValue(), async ([method, path], body) => {
    assert.ok((await call(method, path, { token: ann.token, body })).status < 500)
  }), { numRuns: 100 })
  t.pass('100 bodies')
})
