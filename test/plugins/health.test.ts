import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { request } from '../helpers/request.ts'

t.test('health, security headers and the API reference', async t => {
  const { app, call } = await startApp(t, { CORS_ORIGIN: 'https://chat.example,https://other.example' })

  t.test('live and ready answer 200', async t => {
    t.match(await call('GET', '/health/live'), { status: 200, body: { success: true } })
    t.match(await call('GET', '/health/ready'), { status: 200, body: { success: true } })
  })

  t.test('only configured origins are allowed, and browsers can read the headers they need', async t => {
    const { headers } = await call('GET', '/health/live', { headers: { origin: 'https://chat.example' } })
    t.equal(headers.get('access-control-allow-origin'), 'https://chat.example')
    t.match(headers.get('access-control-expose-headers'), 'ETag')
    t.equal(headers.get('x-content-type-options'), 'nosniff')
    t.equal((await call('GET', '/health/live', { headers: { origin: 'https://evil.example' } })).headers.get('access-control-allow-origin'), null)
  })

  t.test('the document is OpenAPI 3.1 and names every route with a summary and its failures', async t => {
    const { body } = await call('GET', '/documentation/json')
    t.match(body.openapi, /^3\.1\./)
    const operations = Object.entries(body.paths as Record<string, Record<string, { summary?: string, responses: object }>>)
      .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })))
    t.ok(operations.length > 20)
    t.strictSame(operations.filter(({ operation }) => operation.summary === undefined).map(({ name }) => name), [], 'all have a summary')
    t.equal((await request(`http://127.0.0.1:${(app.server.address() as { port: number }).port}/documentation`)).status, 200)
  })

  t.test('without its database the server is alive but not ready, and hides the driver\'s message', async t => {
    await app.mongo.client.close()
    t.equal((await call('GET', '/health/live')).status, 200)
    const { status, body, text } = await call('GET', '/health/ready')
    t.equal(status, 503)
    t.match(body, { success: false, code: 'UNAVAILABLE', retryable: true })
    t.notMatch(text, /mongo/i)
  })
})

/** A turn of the event loop that takes this long. */
async function lag (ms: number): Promise<void> {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  await new Promise(resolve => { setImmediate(resolve) })
}

t.test('a server whose loop lags one second serves; above the limit it answers 503 and is still live', async t => {
  const { app, url, call } = await startApp(t)
  for (let turn = 0; turn < 4; turn++) {
    await lag(1_100)
    t.notOk(app.isUnderPressure(), `after ${turn + 1} turns of a second`)
  }
  for (let turn = 0; turn < 10 && !app.isUnderPressure(); turn++) await lag(2_200)
  const refused = await fetch(`${url}/health/ready`)
  t.match({ status: refused.status, body: await refused.json() as unknown }, { status: 503, body: { success: false, code: 'OVERLOADED', retryable: true, retryAfterMs: 1_000 } })
  t.equal(refused.headers.get('retry-after'), '1')
  t.equal((await fetch(`${url}/health/live`)).status, 200)
  t.match(await call('GET', '/health/ready'), { status: 200, body: { success: true } }, 'and serves again')
})
