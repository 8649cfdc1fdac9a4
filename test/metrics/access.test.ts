import t from 'tap'
import { startApp } from '../helpers/app.ts'

const token = 'a-token-for-the-scraper'
const bearer = (value: string) => ({ headers: { authorization: `Bearer ${value}` } })

async function status (url: string, headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(`${url}/metrics`, { headers })
  await answer.arrayBuffer()
  return answer.status
}

t.test('without a token and a network, /metrics does not exist', async t => {
  const { call } = await startApp(t)
  const { status, body } = await call('GET', '/metrics', bearer(''))
  t.equal(status, 404)
  t.match(body, { success: false, code: 'NOT_FOUND' })
})

t.test('with a token, only its bearer reads the metrics; for others they do not exist', async t => {
  const { url, call } = await startApp(t, { METRICS_TOKEN: token })
  t.equal(await status(url, bearer(token).headers), 200)
  const missing = await call('GET', '/no-such-address')
  for (const wrong of ['', 'wrong', `${token}x`, token.slice(1)]) {
    const { status, body } = await call('GET', '/metrics', bearer(wrong))
    t.equal(status, 404)
    t.equal(JSON.stringify(body), missing.text.replace('/no-such-address', '/metrics'), wrong)
  }
  t.equal(await status(url), 404)
})

t.test('a configured network reads them without a token, except through an unknown proxy', async t => {
  const { url } = await startApp(t, { METRICS_NETWORKS: 'loopback' })
  t.equal(await status(url), 200)
  t.equal(await status(url, { 'x-forwarded-for': '203.0.113.7' }), 404)
  t.equal(await status(url, { 'x-forwarded-for': '127.0.0.1' }), 404)
  t.equal(await status(url, { forwarded: 'for=127.0.0.1' }), 404)
})

t.test('behind a trusted proxy the client\'s own address counts', async t => {
  const { url } = await startApp(t, { METRICS_NETWORKS: '10.0.0.0/8, 2001:db8::/32', TRUST_PROXY: 'true' })
  t.equal(await status(url, { 'x-forwarded-for': '10.1.2.3' }), 200)
  t.equal(await status(url, { 'x-forwarded-for': '2001:db8::1' }), 200)
  t.equal(await status(url, { 'x-forwarded-for': '10.1.2.3, 203.0.113.7' }), 404)
  t.equal(await status(url, { 'x-forwarded-for': 'nonsense' }), 404)
  t.equal(await status(url), 404)
})
