import type { IncomingMessage } from 'node:http'
import t from 'tap'
import { addressKey, clientAddress, parseTrust } from '../src/addresses.ts'
import { startApp } from './helpers/app.ts'
import { connect } from './helpers/sockets.ts'

const from = (remoteAddress: string | undefined, forwarded?: string) =>
  ({ socket: { remoteAddress }, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage
const seen = (trust: string, remoteAddress: string, forwarded?: string) => clientAddress(from(remoteAddress, forwarded), parseTrust(trust))

t.test('without a trusted proxy the address of the connection counts', async t => {
  for (const trust of ['false', '0']) t.equal(seen(trust, '9.9.9.9', '1.1.1.1'), '9.9.9.9')
  t.equal(clientAddress(from(undefined), undefined), 'unknown')
})

t.test('behind proxies that append, the address that a client writes itself never counts', async t => {
  const forged = '6.6.6.6, 7.7.7.7'
  for (const trust of ['true', '1', '10.0.0.0/8', 'uniquelocal', 'loopback, 10.0.0.1']) t.equal(seen(trust, '10.0.0.1', `${forged}, 1.1.1.1`), '1.1.1.1', trust)
  t.equal(seen('2', '10.0.0.1', `${forged}, 1.1.1.1, 10.0.0.2`), '1.1.1.1', 'two proxies')
  t.equal(seen('10.0.0.0/8', '10.0.0.1', `${forged}, 1.1.1.1, 10.0.0.2`), '1.1.1.1', 'networks')
  t.equal(seen('10.0.0.0/8', '9.9.9.9', '1.1.1.1'), '9.9.9.9', 'past the proxy nothing is believed')
  t.equal(seen('true', '10.0.0.1', 'unknown'), '10.0.0.1', 'what is no address')
  t.equal(seen('true', '10.0.0.1'), '10.0.0.1', 'no header')
  t.equal(seen('fd00::/8', 'fd00::1', '2001:db8::1'), '2001:db8::1')
})

t.test('an address is recognised in every way of writing it', async t => {
  const ways = { '1.2.3.4:5678': '1.2.3.4', '::ffff:1.2.3.4': '1.2.3.4', '::FFFF:102:304': '1.2.3.4', '[2001:db8::1]:443': '2001:db8::1', '[2001:db8::1]': '2001:db8::1', 'fe80::1%eth0': 'fe80::1' }
  for (const [written, address] of Object.entries(ways)) t.equal(seen('true', '10.0.0.1', written), address, written)
  t.equal(seen('127.0.0.1', '::ffff:127.0.0.1', '1.1.1.1'), '1.1.1.1', 'a proxy is known in its mapped form')
})

t.test('an IPv6 network of one customer counts as one address', async t => {
  const networks = [['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:0DB8:0001:0002:0:0:0:1'], ['2001:db8:1:3::1'], ['::1']].map(group => new Set(group.map(addressKey)))
  t.same(networks.map(({ size }) => size), [1, 1, 1])
  t.equal(new Set(networks.flatMap(group => [...group])).size, 3)
  t.equal(addressKey('1.2.3.4'), '1.2.3.4')
})

t.test('a value of TRUST_PROXY that names no proxy is refused', async t => {
  for (const text of ['maybe', '-1', '100', '1.5', '10.0.0.0/33', '10.0.0.0/0', '10.0.0.0/', '10.0.0', '::1/129', 'loopback, x', 'https://proxy', '10.0.0.0/8,']) t.throws(() => parseTrust(text), /^must be true, false/, text)
})

t.test('requests and handshakes use the same address', async t => {
  const { app, url, call, register } = await startApp(t, { TRUST_PROXY: 'true', RATE_LIMIT_REQUESTS: '5' })
  const { token } = await register('ada')
  const strangers = (forwarded: string) => call('GET', '/api/auth/me', { headers: { 'x-forwarded-for': forwarded } })
  for (let i = 0; i < 5; i++) t.equal((await strangers(`6.6.6.${i}, 1.1.1.1`)).status, 401)
  t.equal((await strangers('6.6.6.6, 1.1.1.1')).status, 429, 'an invented address does not help')
  t.equal((await strangers('1.1.1.2')).status, 401, 'another one has its own count')
  for (let i = 0; i < 5; i++) await strangers(`2001:db8:1:2::${i}`)
  t.equal((await strangers('2001:db8:1:2:3::1')).status, 429, 'an IPv6 network is one')

  const addresses: string[] = []
  app.io.use((socket, next) => { addresses.push(app.addressOf(socket.request)); next() })
  await connect(t, url, token, { extraHeaders: { 'x-forwarded-for': '6.6.6.6, ::ffff:1.1.1.3' } })
  t.same(addresses, ['1.1.1.3'])
})
