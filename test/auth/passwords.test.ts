import * as bcrypt from '@node-rs/bcrypt'
import t from 'tap'
import { checkPassword, hashPassword } from '../../src/auth/password.ts'
import { TidelogError } from '../../src/errors.ts'

t.test('a password is kept as argon2id and recognised', async t => {
  const stored = await hashPassword('päss wörd ✓')
  t.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.equal(await checkPassword('päss wörd ✓', stored), 'right')
  t.equal(await checkPassword('päss wörd', stored), 'wrong')
})

t.test('the bcrypt hashes that host applications write are recognised and want an upgrade', async t => {
  const stored = await bcrypt.hash('password-1', 4)
  for (const version of ['$2a$', '$2b$', '$2y$']) {
    t.equal(await checkPassword('password-1', version + stored.slice(4)), 'right-but-old', version)
    t.equal(await checkPassword('password-2', version + stored.slice(4)), 'wrong', version)
  }
})

t.test('what is no hash admits nobody', async t => {
  for (const stored of [undefined, '', 'password-1', '$2b$04$tooshort', '$argon2id$v=19$broken', '$5$rounds=1$x$y']) {
    t.equal(await checkPassword('password-1', stored), 'wrong', String(stored))
  }
  t.equal(await checkPassword('the password of nobody', undefined), 'wrong', 'not even with the password of the hash that unknown accounts are compared with')
})

t.test('hashes that nobody could wait for are refused at once, and those accepted are made', async t => {
  const results = await Promise.allSettled(Array.from({ length: 2_000 }, () => checkPassword('x', '$2b$04$' + 'a'.repeat(53))))
  const refused = results.filter(result => result.status === 'rejected')
  t.ok(refused.length > 0)
  t.ok(refused.every(({ reason }) => reason instanceof TidelogError && reason.code === 'OVERLOADED' && reason.retryAfterMs !== undefined))
  t.equal(results.filter(result => result.status === 'fulfilled').length, 502)
  t.equal(await checkPassword('password-1', undefined), 'wrong', 'afterwards there is room again')
})
