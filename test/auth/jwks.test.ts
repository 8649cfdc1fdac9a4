import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import t from 'tap'
import { JwkSet } from '../../src/auth/jwks.ts'
import { TidelogError } from '../../src/errors.ts'
import { startKeyServer } from '../helpers/key-server.ts'

const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString()
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
const ed = generateKeyPairSync('ed25519').publicKey
const jwk = (key: KeyObject, more: object) => ({ ...key.export({ format: 'jwk' }), ...more })
const invalid = new TidelogError('INVALID_TOKEN')

t.test('a key is found by id and algorithm, and the set is fetched once', async t => {
  const server = await startKeyServer(t, [jwk(rsa, { kid: 'a', alg: 'RS256', use: 'sig' }), jwk(ec, { kid: 'b' }), jwk(ed, { kid: 'c' })])
  const keys = new JwkSet(server.url)
  const found = await Promise.all([keys.pem('RS256', 'a'), keys.pem('ES256', 'b'), keys.pem('EdDSA', 'c'), keys.pem('RS256', undefined)])
  t.same(found, [pem(rsa), pem(ec), pem(ed), pem(rsa)])
  await t.rejects(keys.pem('ES256', 'a'), invalid, 'a key is not used for the algorithm of another kind')
  t.equal(server.requests, 1)
})

t.test('keys of other kinds and uses are ignored', async t => {
  const server = await startKeyServer(t, [
    null, 'text', {}, { kty: 'oct', k: 'c2VjcmV0', kid: 'secret' }, { kty: 'RSA', kid: 'broken' },
    jwk(rsa, { kid: 'enc', use: 'enc' }), jwk(rsa, { kid: 'pss', alg: 'PS256' }),
    jwk(generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey, { kid: 'short' }), jwk(ed, { kid: 'good' })
  ])
  const keys = new JwkSet(server.url)
  t.equal(await keys.pem('EdDSA', 'good'), pem(ed))
  for (const kid of ['secret', 'broken', 'enc', 'pss', 'short']) await t.rejects(keys.pem('RS256', kid), invalid, kid)
})

t.test('a token without a key id is refused if several keys fit', async t => {
  const server = await startKeyServer(t, [jwk(ed, { kid: 'a' }), jwk(generateKeyPairSync('ed25519').publicKey, { kid: 'b' })])
  await t.rejects(new JwkSet(server.url).pem('EdDSA', undefined), invalid)
})

t.test('invented key ids cause only one request per interval, and a new key is found after it', async t => {
  let now = 1_000_000
  const server = await startKeyServer(t, [jwk(ed, { kid: 'old' })])
  const keys = new JwkSet(server.url, { now: () => now })
  await keys.pem('EdDSA', 'old')
  for (let i = 0; i < 50; i++) await t.rejects(keys.pem('EdDSA', `invented-${i}`), invalid)
  t.equal(server.requests, 1)
  server.keys = [jwk(ec, { kid: 'new' })]
  now += 5_000
  t.equal(await keys.pem('ES256', 'new'), pem(ec))
  t.equal(server.requests, 2)
  await t.rejects(keys.pem('EdDSA', 'old'), invalid, 'a withdrawn key')
})

t.test('the last set is used while the address does not answer; a withdrawn key goes with the next set', async t => {
  let now = 1_000_000
  const errors: unknown[] = []
  const server = await startKeyServer(t, [jwk(ed, { kid: 'a' })])
  const keys = new JwkSet(server.url, { now: () => now, onError: error => { errors.push(error) } })
  await keys.pem('EdDSA', 'a')
  server.status = 500
  now += 600_000
  t.equal(await keys.pem('EdDSA', 'a'), pem(ed))
  t.equal(errors.length, 1)
  server.status = 200
  server.keys = []
  now += 5_000
  await t.rejects(keys.pem('EdDSA', 'a'), invalid)
})

t.test('before the first set arrives, a token gets 503: it is neither accepted nor refused', async t => {
  const server = await startKeyServer(t, [])
  server.status = 503
  const keys = new JwkSet(server.url)
  await t.rejects(keys.pem('EdDSA', 'a'), { code: 'UNAVAILABLE', retryable: true })
  const text = await startKeyServer(t, 'no list' as unknown as unknown[])
  await t.rejects(new JwkSet(text.url).pem('EdDSA', 'a'), { code: 'UNAVAILABLE' })
})
