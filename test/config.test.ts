import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ConfigError, allowedOrigins, configSchema, envExample, storedSecret, readConfig } from '../src/config.ts'

t.test('defaults fill missing and empty variables', async t => {
  t.match(readConfig({}), { PORT: 5000, DATA_DIR: './data', MONGODB_URL: '', RATE_LIMIT_SENDS: 3000 })
  t.equal(readConfig({ PORT: '' }).PORT, 5000)
  t.equal(readConfig({ PORT: '80', UNRELATED: 'x' }).PORT, 80)
})

t.test('a bad value is reported in one line with the variable and what it must be', async t => {
  const bad = {
    PORT: 'x', LOG_LEVEL: 'loud', JWT_SECRET: 'short', TRUST_PROXY: 'maybe', MONGODB_URL: 'http://x', RATE_LIMIT_SENDS: '-1', ACCESS_TOKEN_TTL: '1h'
  }
  for (const [name, value] of Object.entries(bad)) {
    try {
      readConfig({ [name]: value })
      t.fail(`${name} was accepted`)
    } catch (error) {
      t.ok(error instanceof ConfigError, name)
      t.match((error as Error).message, new RegExp(`^${name} must [^\\n]+$`))
    }
  }
})

t.test('a value that can match nothing is refused by the name of its variable', async t => {
  const bad = {
    CORS_ORIGIN: ['https://chat.example/', 'https://chat.example/path', 'chat.example', 'https://CHAT.example', 'https://chat.example:443', 'https://a.example,b.example', ',', 'https://'],
    TRUST_PROXY: ['yes', '10.0.0', 'https://proxy.example'],
    MONGODB_URL: ['db.example/chat', 'http://db.example', 'mongodb://', 'mongodb://db.example/chat/more', 'mongodb://db.example/?nonsense=1', 'mongodb+srv://db.example:27017/chat'],
    REDIS_URL: [
      'redis', '127.0.0.1:6379', 'http://redis:6379', 'redis://', 'redis://host:port', 'redis://host:70000',
      'redis://host/database', 'redis://one:6379,two:6379', 'redis://one two'
    ],
    S3_URL: ['bucket', 'https://host/bucket', 'https://key@host/bucket', 'https://key:secret@host', 's3://key:secret@host/bucket'],
    PUBLIC_URL: ['chat.example', '/chat', 'https://chat.example/', 'https://chat.example/chat/', 'https://a.example?x', 'ftp://a.example'],
    JWT_JWKS_URL: ['issuer.example/jwks', '/jwks', 'https://', 'ftp://issuer.example/jwks', 'https://issuer.example/a b']
  }
  for (const [name, values] of Object.entries(bad)) {
    const refused = new RegExp(`^${name} must [^\\n]+$`)
    for (const value of values) t.throws(() => readConfig({ [name]: value }), refused, `${name}=${value}`)
  }
  t.throws(() => readConfig({ CORS_ORIGIN: 'https://chat.example/' }), /https:\/\/chat\.example, not "https:\/\/chat\.example\/"/, 'and told what to write')
  t.throws(() => readConfig({ MONGODB_URL: 'mongodb://user:hunter2@' }), /^MONGODB_URL must ((?!hunter2).)*$/, 'without the password')
  t.throws(() => readConfig({ REDIS_URL: 'redis://:hunter2@' }), /^REDIS_URL must ((?!hunter2).)*$/)
  t.throws(() => readConfig({ S3_URL: 'https://key:hunter2@host' }), /^S3_URL must ((?!hunter2).)*$/)
  const alone = { REDIS_URL: 'redis://host' }
  t.throws(() => readConfig(alone), /^REDIS_URL must be empty without MONGODB_URL/, 'the embedded engine serves one')
})

t.test('values that can match are accepted', async t => {
  const origins = ['https://chat.example', 'http://localhost:3000', 'capacitor://localhost', 'null', 'http://[::1]:8080']
  t.same(allowedOrigins(readConfig({ CORS_ORIGIN: origins.join(', ') })), origins)
  t.equal(allowedOrigins(readConfig({ CORS_ORIGIN: 'https://chat.example, *' })), '*')
  for (const url of ['mongodb://a.example,b.example:27018/chat?replicaSet=rs0', 'mongodb://127.0.0.1/', 'mongodb+srv://user:pass@db.example/chat']) t.equal(readConfig({ MONGODB_URL: url }).MONGODB_URL, url)
  for (const REDIS_URL of ['redis://host', 'rediss://user:pass@host:6380/2', 'redis://[::1]:6379/', 'redis://10.0.0.7']) {
    t.equal(readConfig({ REDIS_URL, MONGODB_URL: 'mongodb://host' }).REDIS_URL, REDIS_URL)
  }
  const S3_URL = 'https://key:a%2Fsecret@s3.example/bucket?region=eu-west-1'
  t.equal(readConfig({ S3_URL }).S3_URL, S3_URL)
  for (const PUBLIC_URL of ['https://chat.example', 'http://localhost:5000', 'https://a.example/chat']) {
    t.equal(readConfig({ PUBLIC_URL }).PUBLIC_URL, PUBLIC_URL)
  }
  t.ok(readConfig({ JWT_JWKS_URL: 'http://localhost:8080/jwks.json' }))
})

t.test('a refused secret is not repeated in the message', async t => {
  t.throws(() => readConfig({ JWT_SECRET: 'hunter2' }), /^JWT_SECRET must ((?!hunter2).)*$/)
})

t.test('production with an external database needs a configured key', async t => {
  const production = { NODE_ENV: 'production', MONGODB_URL: 'mongodb://db.example/chat' }
  t.throws(() => readConfig(production), /^JWT_SECRET must be set/)
  t.ok(readConfig({ ...production, JWT_SECRET: 'a-secret-of-sufficient-length' }))
  t.ok(readConfig({ ...production, JWT_JWKS_URL: 'https://issuer.example/jwks' }))
})

t.test('a generated secret is strong, stored, and readable only by its owner', async t => {
  const dir = t.testdir()
  const secret = storedSecret(join(dir, 'data'))
  t.ok(secret.length >= 48)
  t.equal(storedSecret(join(dir, 'data')), secret)
  t.equal(statSync(join(dir, 'data', 'jwt-secret')).mode & 0o777, 0o600)
})

t.test('a damaged secret file is refused, not replaced', async t => {
  const dir = t.testdir()
  writeFileSync(join(dir, 'jwt-secret'), 'short')
  t.throws(() => storedSecret(dir), /jwt-secret must hold a secret/)
  t.equal(readFileSync(join(dir, 'jwt-secret'), 'utf8'), 'short')
})

t.test('.env.example is generated from the schema and names every variable', async t => {
  const file = readFileSync(new URL('../.env.example', import.meta.url), 'utf8')
  t.equal(file, envExample())
  for (const name of Object.keys(configSchema.properties)) t.match(file, `# ${name}=`)
})

t.test('the longest possible push fits the packet limit unless that limit is configured', async t => {
  t.equal(readConfig({}).OUTBOX_BYTES_MAX, 100 * (4 * 4_000 + 4_096))
  t.equal(readConfig({ MESSAGE_CHARS_MAX: '10' }).OUTBOX_BYTES_MAX, 100 * (4 * 10 + 4_096))
  t.equal(readConfig({ OUTBOX_BYTES_MAX: '50000' }).OUTBOX_BYTES_MAX, 50_000)
  t.throws(() => readConfig({ OUTBOX_BYTES_MAX: '5000' }), /^OUTBOX_BYTES_MAX must be at least 20096: /)
})
