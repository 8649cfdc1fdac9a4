import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t, { type Test } from 'tap'
import { startApp, type TestApp } from '../helpers/app.ts'
import { startKeyServer } from '../helpers/key-server.ts'
import { hs256, makeToken, signed } from '../helpers/tokens.ts'

const secret = 'the secret that both sides know'
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString()
const seconds = () => Math.floor(Date.now() / 1_000)

/** A user as a host application writes them. */
async function hostUser ({ app }: TestApp, fields: object = {}): Promise<string> {
  const _id = new ObjectId()
  await app.chat.collections.users.insertOne({ _id, fullName: 'Host User', username: `host-${_id.toHexString()}`, email: `${_id.toHexString()}@example.org`, ...fields })
  return _id.toHexString()
}

const refusals = {
  none: { status: 401, body: { success: false, code: 'NO_TOKEN', message: 'Authentication error: No token provided' } },
  invalid: { status: 401, body: { success: false, code: 'INVALID_TOKEN', message: 'Authentication error: Invalid token' } },
  unknown: { status: 401, body: { success: false, code: 'UNKNOWN_USER', message: 'Authentication error: User not found' } },
  good: { status: 200, body: { success: true } }
} as const

async function expect (t: Test, server: TestApp, token: string | undefined, outcome: keyof typeof refusals, why: string): Promise<void> {
  t.match(await server.call('GET', '/api/auth/me', { token }), refusals[outcome], why)
}

t.test('with a secret, only tokens of HS256 are accepted', async t => {
  const server = await startApp(t, { JWT_SECRET: secret })
  const id = await hostUser(server)
  const good = hs256({ id }, secret)
  const [header, payload, signature] = good.split('.') as [string, string, string]

  await t.test('a host application\'s token needs to name only the user', async t => {
    await expect(t, server, good, 'good', 'id alone')
    await expect(t, server, hs256({ id: id.toUpperCase(), iat: seconds(), exp: seconds() + 60, more: { x: 1 } }, secret), 'good', 'with the usual claims')
    t.same((await server.app.verifyToken(good)).expiresAt, null)
    t.same((await server.app.verifyToken(hs256({ id, exp: 4_000_000_000, iat: 1 }, secret))).expiresAt, new Date(4_000_000_000_000))
  })

  await t.test('a host application\'s users need no e-mail addresses', async t => {
    const token = hs256({ id: await hostUser(server, { email: undefined }) }, secret)
    t.match(await server.call('GET', '/api/auth/me', { token }), { status: 200, body: { user: { email: null } } })
    t.match(await server.call('PATCH', '/api/users/me', { token, body: { fullName: 'Renamed' } }), { status: 200, body: { user: { fullName: 'Renamed', email: null } } })
  })

  await t.test('a missing token and a bad one have different codes', async t => {
    await expect(t, server, undefined, 'none', 'no header')
    for (const authorization of ['', 'Bearer', 'Bearer ', 'Basic dTpw', good]) {
      t.match(await server.call('GET', '/api/auth/me', { headers: { authorization } }), refusals.none, `"${authorization.slice(0, 10)}"`)
    }
    t.match(await server.call('GET', '/api/auth/me', { headers: { authorization: `bearer  ${good}` } }), refusals.good, 'the scheme has no case')
    t.equal((await server.call('GET', '/api/auth/me')).headers.get('www-authenticate'), 'Bearer')
    for (const token of [undefined, null, '']) await t.rejects(server.app.verifyToken(token), { code: 'NO_TOKEN' })
    for (const token of [1, true, {}, [good], Buffer.from(good)]) await t.rejects(server.app.verifyToken(token), { code: 'INVALID_TOKEN' })
  })

  await t.test('a malformed or changed token is refused', async t => {
    const other = Buffer.from(JSON.stringify({ id: new ObjectId().toHexString() })).toString('base64url')
    const bad = {
      'no token': 'x',
      'two parts': `${header}.${payload}`,
      'empty signature': `${header}.${payload}.`,
      'no header': `.${payload}.${signature}`,
      'another payload': `${header}.${other}.${signature}`,
      'a changed signature': `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      'a shortened signature': good.slice(0, -4),
      'four parts': `${good}.x`,
      'a header that is no JSON': `e30x.${payload}.${signature}`,
      'a header that is null': `${Buffer.from('null').toString('base64url')}.${payload}.${signature}`,
      'a huge one': good + 'A'.repeat(9_000),
      'another secret': hs256({ id }, 'another secret, just as long!!!'),
      'an empty secret': hs256({ id }, '')
    }
    for (const [why, token] of Object.entries(bad)) await expect(t, server, token, 'invalid', why)
  })

  await t.test('whatever is sent as a token is accepted or refused with one of three codes', async t => {
    const codes = new Set(['NO_TOKEN', 'INVALID_TOKEN', 'UNKNOWN_USER'])
    const refused = (token: unknown) => server.app.verifyToken(token).then(() => false, (error: { code: string }) => codes.has(error.code))
    const part = fc.oneof(fc.json().map(text => Buffer.from(text).toString('base64url')), fc.base64String(), fc.string(), fc.constantFrom(header, payload, signature))
    await fc.assert(fc.asyncProperty(fc.anything(), refused))
    await fc.assert(fc.asyncProperty(fc.array(part, { maxLength: 5 }).map(parts => parts.join('.')).filter(token => token !== good), refused))
    await fc.assert(fc.asyncProperty(fc.json(), text => server.app.verifyToken(hs256(text, secret)).then(({ identity }) => identity.userId === id, (error: { code: string }) => codes.has(error.code))))
    await fc.assert(fc.asyncProperty(fc.nat({ max: signature.length - 2 }), fc.constantFrom(...'ABab01-_'), async (at, char) => {
      const where = good.lastIndexOf('.') + 1 + at
      return good[where] === char || await refused(good.slice(0, where) + char + good.slice(where + 1))
    }))
    t.pass('fast-check throws with its seed otherwise')
  })

  await t.test('exp, nbf and iat are checked', async t => {
    await expect(t, server, hs256({ id, exp: seconds() - 1 }, secret), 'invalid', 'expired')
    await expect(t, server, hs256({ id, nbf: seconds() + 60 }, secret), 'invalid', 'not valid yet')
    for (const wrong of ['4000000000', null, {}, [4_000_000_000], true]) {
      await expect(t, server, hs256({ id, exp: wrong }, secret), 'invalid', `exp ${JSON.stringify(wrong)}`)
      await expect(t, server, hs256({ id, iat: wrong }, secret), 'invalid', `iat ${JSON.stringify(wrong)}`)
    }
  })

  await t.test('a token that names no user is refused', async t => {
    for (const wrong of [undefined, null, '', 1, true, 'x', { $ne: null }, { $gt: '' }, [id], 'z'.repeat(24), `${id}0`, '0'.repeat(5_000)]) {
      await expect(t, server, hs256({ id: wrong }, secret), 'invalid', JSON.stringify(wrong)?.slice(0, 40) ?? 'no id')
    }
    for (const wrong of ['text', '[]', '"x"', 'null', '1']) await expect(t, server, hs256(wrong, secret), 'invalid', `payload ${wrong}`)
    await expect(t, server, hs256({ id: new ObjectId().toHexString() }, secret), 'unknown', 'an id that no user has')
    await expect(t, server, hs256({ id: await hostUser(server, { isActive: false }) }, secret), 'unknown', 'a deactivated user')
  })

  await t.test('every other algorithm is refused, however it is spelled', async t => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'HS1', 'HS384', 'hs256', 'RS256', 'ES256', 'EdDSA', 'PS256', null, 256, ['HS256'], { $ne: 1 }]) {
      await expect(t, server, makeToken({ alg }, { id }, () => ''), 'invalid', `${JSON.stringify(alg)}, unsigned`)
      await expect(t, server, makeToken({ alg }, { id }, input => createHmac('sha256', secret).update(input).digest()), 'invalid', `${JSON.stringify(alg)}, signed`)
    }
    await expect(t, server, makeToken({ alg: 'HS384' }, { id }, input => createHmac('sha384', secret).update(input).digest()), 'invalid', 'a true HS384')
    await expect(t, server, signed({ id }, rsa.privateKey, { jwk: rsa.publicKey.export({ format: 'jwk' }) }), 'invalid', 'a token that brings its key along')
    await expect(t, server, hs256({ id }, secret, { crit: ['exp'] }), 'invalid', 'an extension that is said to be critical')
  })
})

t.test('a public key verifies its own algorithm and cannot serve as a secret', async t => {
  for (const [algorithm, pair] of Object.entries({ RS256: rsa, ES256: ec, EdDSA: ed })) {
    await t.test(algorithm, async t => {
      const publicKey = pem(pair.publicKey)
      const server = await startApp(t, { JWT_PUBLIC_KEY: publicKey })
      const id = await hostUser(server)
      await expect(t, server, signed({ id }, pair.privateKey), 'good', 'its own')
      for (const text of [publicKey, publicKey.trim(), publicKey.replaceAll('\n', ''), publicKey.split('\n').slice(1, -2).join('')]) {
        await expect(t, server, hs256({ id }, text), 'invalid', 'the public key as a secret')
        await expect(t, server, hs256({ id }, text, { alg: algorithm }), 'invalid', 'the public key as a secret, under its own algorithm')
      }
      for (const other of [rsa, ec, ed].filter(other => other !== pair)) await expect(t, server, signed({ id }, other.privateKey), 'invalid', 'the key of another kind')
      const { privateKey } = algorithm === 'RS256' ? generateKeyPairSync('rsa', { modulusLength: 2_048 }) : algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
      await expect(t, server, signed({ id }, privateKey), 'invalid', 'a stranger\'s key of the same kind')
      for (const path of ['register', 'login', 'refresh']) {
        t.match(await server.call('POST', `/api/auth/${path}`, { body: {} }), { status: 404, body: { success: false, code: 'NOT_FOUND' } }, `there is no ${path}`)
      }
    })
  }
})

t.test('with a secret and a public key, each algorithm has its own key', async t => {
  const server = await startApp(t, { JWT_SECRET: secret, JWT_PUBLIC_KEY: pem(rsa.publicKey) })
  const { token, id } = await server.register('both')
  await expect(t, server, token, 'good', 'our own')
  await expect(t, server, hs256({ id }, secret), 'good', 'with the secret')
  await expect(t, server, signed({ id }, rsa.privateKey), 'good', 'with the private key')
  await expect(t, server, hs256({ id }, pem(rsa.publicKey)), 'invalid', 'the public key as a secret')
  await expect(t, server, makeToken({ alg: 'RS256' }, { id }, input => createHmac('sha256', secret).update(input).digest()), 'invalid', 'the secret under the name of the other algorithm')
})

t.test('a host application\'s published keys verify its tokens', async t => {
  const jwk = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid, use: 'sig' })
  const keys = await startKeyServer(t, [jwk(rsa.publicKey, 'r'), jwk(ec.publicKey, 'e'), jwk(ed.publicKey, 'd')])
  const server = await startApp(t, { JWT_JWKS_URL: keys.url })
  const id = await hostUser(server)
  await expect(t, server, signed({ id }, rsa.privateKey, { kid: 'r' }), 'good', 'RS256')
  await expect(t, server, signed({ id }, ec.privateKey, { kid: 'e' }), 'good', 'ES256')
  await expect(t, server, signed({ id }, ed.privateKey, { kid: 'd' }), 'good', 'EdDSA')
  await expect(t, server, signed({ id }, ed.privateKey), 'good', 'the only key that fits')
  await expect(t, server, signed({ id }, rsa.privateKey, { kid: 'e' }), 'invalid', 'the id of another key')
  for (const kid of ['unknown', 1, null, { $ne: 1 }, ['r']]) await expect(t, server, signed({ id }, rsa.privateKey, { kid }), 'invalid', `kid ${JSON.stringify(kid)}`)
  await expect(t, server, hs256({ id }, pem(rsa.publicKey), { kid: 'r' }), 'invalid', 'a published key as a secret')
  await expect(t, server, signed({ id, exp: seconds() - 1 }, rsa.privateKey, { kid: 'r' }), 'invalid', 'expired')
  t.equal(keys.requests, 1, 'the set was fetched once for all of them')

  const unreachable = await startApp(t, { JWT_JWKS_URL: 'http://127.0.0.1:9/none' })
  t.match(await unreachable.call('GET', '/api/auth/me', { token: signed({ id }, rsa.privateKey, { kid: 'r' }) }), {
    status: 503, body: { code: 'UNAVAILABLE', retryable: true }
  }, 'without the keys nothing is said about the token')
  await expect(t, unreachable, hs256({ id }, secret), 'invalid', 'and no key is needed to refuse another algorithm')
})
