import * as argon2 from '@node-rs/argon2'
import * as bcrypt from '@node-rs/bcrypt'

/** The argon2id hash (19 MiB, two passes) of a new password, as a PHC string. The same characters count the same, however they were typed. */
export function hashPassword (password: string): Promise<string> {
  return argon2.hash(normalForm(password))
}

/** What a login should do with the password that it was given. */
export type Verdict = 'wrong' | 'right' | 'right-but-old'

/**
 * Compares a password with what is stored: argon2, or the bcrypt of a host application. A hash of another kind, or of the
 * password as it was typed, wants an upgrade. Without anything stored (no such account), it takes as long and is wrong.
 */
export async function checkPassword (password: string, stored: string | undefined): Promise<Verdict> {
  const isBcrypt = stored !== undefined && /^\$2[aby]\$/.test(stored)
  const real = isBcrypt || stored?.startsWith('$argon2') === true ? stored : undefined
  const comparable = real ?? await dummyHash()
  const verify = (given: string) => (isBcrypt ? bcrypt.verify(given, comparable) : argon2.verify(comparable, given)).catch(() => false) // what cannot be read admits nobody
  const normal = normalForm(password)
  if (await verify(normal)) return real === undefined ? 'wrong' : isBcrypt ? 'right-but-old' : 'right'
  return normal !== password && await verify(password) && real !== undefined ? 'right-but-old' : 'wrong'
}

function normalForm (password: string): string {
  return password.normalize('NFKC')
}

let dummy: Promise<string> | undefined

/** The hash that passwords of unknown accounts are compared with. */
function dummyHash (): Promise<string> {
  dummy ??= hashPassword('the password of nobody')
  return dummy
}
