import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { startApp } from '../helpers/app.ts'

const origin = 'https://chat.example'
const test = await startApp(t, { REQUEST_TIMEOUT: '1', CORS_ORIGIN: `${origin},https://other.example` })

/** Everything that is answered to these bytes until the server closes the connection. */
async function send (text: string): Promise<{ status: number, head: string, body: Record<string, unknown> }> {
  const { hostname, port } = new URL(test.url)
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket.on('data', chunk => { answer += String(chunk) })
  socket.write(text)
  await once(socket, 'close')
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body: JSON.parse(body) as Record<string, unknown> }
}

t.test('a request that the parser refuses gets a failure body and the usual headers', async t => {
  for (const [text, status, code] of [
    ['GET / HTTP/1.1\r\nno header\r\n\r\n', 400, 'VALIDATION'],
    [`GET / HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\nContent-Length: y\r\n\r\n`, 400, 'VALIDATION'],
    [`GET / HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'TOO_LARGE']
  ] as const) {
    const answer = await send(text)
    t.match(answer, { status, body: { success: false, code, message: String, retryable: false } })
    t.match(answer.head, /x-content-type-options: nosniff/)
    if (text.includes('Origin')) t.match(answer.head, `access-control-allow-origin: ${origin}`)
  }
})

t.test('a request whose headers or body arrive too slowly gets 408', async t => {
  for (const text of [
    'POST /api/auth/login HTTP/1.1\r\nHost: x\r\n',
    'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"username"',
    'POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n'
  ]) t.match(await send(text), { status: 408, body: { success: false, code: 'TIMEOUT', retryable: true } })
  t.equal((await test.call('GET', '/health/live')).status, 200)
})

t.test('a malformed URL gets a failure body and the usual headers', async t => {
  for (const path of ['/%', '/api/messages/%c0%ae']) {
    const answer = await test.call('GET', path, { headers: { origin } })
    t.match(answer, { status: 400, body: { success: false, code: 'VALIDATION' } })
    t.equal(answer.headers.get('access-control-allow-origin'), origin)
    t.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  }
  t.equal((await test.call('GET', '/%', { headers: { origin: 'https://evil.example' } })).headers.get('access-control-allow-origin'), null)
})
