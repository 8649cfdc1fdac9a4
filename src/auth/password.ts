import * as argon2 from '@node-rs/argon2'
import * as bcrypt from '@node-rs/bcrypt'

/**
 * The argon2id hash (19 MiB, two passes) of a new password, as a PHC string. Equal characters give equal passwords,
 * however they were typed.
 */
export function hashPassword (password: string): Promise<string> {
  return argon2.hash(normalForm(password))
}

/** The result of comparing a password with the stored hash. */
export type Verdict = 'wrong' | 'right' | 'right-but-old'

/**
 * Compares a password with the stored hash: argon2, or a host application's bcrypt. A hash of another kind, or of the
 * password exactly as typed, needs an upgrade. Without a stored hash (no such account), the check takes as long and
 * fails.
 */
export async function checkPassword (password: string, stored: string | undefined): Promise<Verdict> {
  const isBcrypt = stored !== undefined && /^\$2[aby]\$/.test(stored)
  const real = isBcrypt || stored?.startsWith('$argon2') === true ? stored : undefined
  const comparable = real ?? await dummyHash()
  // An unreadable hash matches no password.
  const verify = (given: string) =>
    (isBcrypt ? bcrypt.verify(given, comparable) : argon2.verify(comparable, given)).catch(() => false)
  const normal = normalForm(password)
  if (await verify(normal)) return real === undefined ? 'wrong' : isBcrypt ? 'right-but-old' : 'right'
  return normal !== password && await verify(password) && real !== undefined ? 'right-but-old' : 'wrong'
}

function normalForm (password: string): string {
  return password.normalize('NFKC')
}

let dummy: Promise<string> | undefined

/** The hash with which passwords of unknown accounts are compared. */
function dummyHash (): Promise<string> {
  dummy ??= hashPassword('the password of nobody')
  return dummy
}
