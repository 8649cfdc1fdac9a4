import * as argon2 from '@node-rs/argon2'
import * as bcrypt from '@node-rs/bcrypt'
import t from 'tap'
import { checkPassword, hashPassword } from '../../src/auth/password.ts'

t.test('a password is stored as argon2id and recognised', async t => {
  const stored = await hashPassword('päss wörd ✓')
  t.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.equal(await checkPassword('päss wörd ✓', stored), 'right')
  t.equal(await checkPassword('päss wörd', stored), 'wrong')
})

t.test('bcrypt hashes of a host application are recognised and marked for an upgrade', async t => {
  const stored = await bcrypt.hash('password-1', 4)
  for (const version of ['$2a$', '$2b$', '$2y$']) {
    t.equal(await checkPassword('password-1', version + stored.slice(4)), 'right-but-old', version)
    t.equal(await checkPassword('password-2', version + stored.slice(4)), 'wrong', version)
  }
})

t.test('a stored text that is not a hash lets nobody log in', async t => {
  for (const stored of [undefined, '', 'password-1', '$2b$04$tooshort', '$argon2id$v=19$broken', '$5$rounds=1$x$y']) {
    t.equal(await checkPassword('password-1', stored), 'wrong', String(stored))
  }
  t.equal(await checkPassword('the password of nobody', undefined), 'wrong', 'not even with the password of the hash that unknown accounts are compared with')
})

t.test('equal characters are the same password, however they were typed', async t => {
  const [composed, decomposed, wide] = ['p\u00e4ssword-1', 'pa\u0308ssword-1', '\uff50\u00e4ssword-1']
  const stored = await hashPassword(decomposed)
  for (const typed of [composed, decomposed, wide]) t.equal(await checkPassword(typed, stored), 'right')
  t.equal(await checkPassword('password-1', stored), 'wrong', 'another character is another password')
})

t.test('a hash of the password as it was typed is accepted and marked for an upgrade', async t => {
  const typed = 'pa\u0308ssword-1'
  for (const stored of [await argon2.hash(typed), await bcrypt.hash(typed, 4)]) {
    t.equal(await checkPassword(typed, stored), 'right-but-old')
    t.equal(await checkPassword('p\u00e4ssword-1', stored), 'wrong')
  }
})
