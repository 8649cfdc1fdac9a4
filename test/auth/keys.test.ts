import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { issuesTokens, tokenKeys } from '../../src/auth/keys.ts'
import { readConfig } from '../../src/config.ts'

const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString()
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })

t.test('a public key verifies the one algorithm of its kind', async t => {
  const keys = {
    RS256: rsa.publicKey,
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
    EdDSA: generateKeyPairSync('ed25519').publicKey
  }
  for (const [algorithm, key] of Object.entries(keys)) {
    t.equal(tokenKeys(readConfig({ JWT_PUBLIC_KEY: pem(key) })).publicKey?.algorithm, algorithm)
  }
})

t.test('a PEM on one line, as in environment files, is read', async t => {
  const oneLine = pem(rsa.publicKey).replaceAll('\n', '\\n')
  t.equal(tokenKeys(readConfig({ JWT_PUBLIC_KEY: oneLine })).publicKey?.pem, pem(rsa.publicKey))
})

t.test('an unusable key is refused by the name of its variable, and never printed', async t => {
  const bad = {
    'no key': 'some text',
    'a private key': rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'a short RSA key': pem(generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey),
    'another curve': pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey),
    'a key for key agreement': pem(generateKeyPairSync('x25519').publicKey)
  }
  for (const [what, text] of Object.entries(bad)) {
    try {
      tokenKeys(readConfig({ JWT_PUBLIC_KEY: text }))
      t.fail(what)
    } catch (error) {
      t.match((error as Error).message, /^JWT_PUBLIC_KEY must be/, what)
      t.notMatch((error as Error).message, text.slice(28, 60), what)
    }
  }
})

t.test('without a key the server generates a secret once, and only its owner can read it', async t => {
  const config = readConfig({ DATA_DIR: join(t.testdir(), 'data') })
  const { secret } = tokenKeys(config)
  t.ok(secret !== undefined && secret.length >= 64)
  t.equal(tokenKeys(config).secret, secret)
  t.equal(statSync(join(config.DATA_DIR, 'jwt-secret')).mode & 0o777, 0o600)
})

t.test('with only a public key there is no secret, and the server has no accounts of its own', async t => {
  const config = readConfig({ JWT_PUBLIC_KEY: pem(rsa.publicKey) })
  t.equal(tokenKeys(config).secret, undefined)
  t.notOk(issuesTokens(config))
  t.ok(issuesTokens(readConfig({ JWT_PUBLIC_KEY: pem(rsa.publicKey), JWT_SECRET: 'a secret of the host' })))
  t.ok(issuesTokens(readConfig({})))
})
