import * as argon2 from '@node-rs/argon2'
import * as bcrypt from '@node-rs/bcrypt'
import { TidelogError } from '../errors.ts'

/** Hashes computed at a time: the threads that do it also serve the database's files. */
const concurrencyMax = 2
/** Hashes that may wait; more would be answered after their clients have gone. */
const waitingMax = 500

let running = 0
const waiting: Array<() => void> = []

/** The argon2id hash (19 MiB, two passes) of a new password, as a PHC string. */
export function hashPassword (password: string): Promise<string> {
  return limitConcurrency(() => argon2.hash(password))
}

/** What a login should do with the password that it was given. */
export type Verdict = 'wrong' | 'right' | 'right-but-old'

/**
 * Compares a password with what is stored: argon2, or the bcrypt of a host application, which wants an upgrade.
 * Without anything stored (no such account), it takes as long and is wrong.
 */
export async function checkPassword (password: string, stored: string | undefined): Promise<Verdict> {
  if (stored !== undefined && /^\$2[aby]\$/.test(stored)) {
    const right = await limitConcurrency(() => bcrypt.verify(password, stored)).catch(refuseUnreadable)
    return right ? 'right-but-old' : 'wrong'
  }
  const real = stored?.startsWith('$argon2') === true ? stored : undefined
  const comparable = real ?? await dummyHash()
  const right = await limitConcurrency(() => argon2.verify(comparable, password)).catch(refuseUnreadable)
  return right && real !== undefined ? 'right' : 'wrong'
}

let dummy: Promise<string> | undefined

/** The hash that passwords of unknown accounts are compared with. */
function dummyHash (): Promise<string> {
  dummy ??= hashPassword('the password of nobody')
  return dummy
}

/** A stored hash that cannot be read admits nobody. */
function refuseUnreadable (error: unknown): false {
  if (error instanceof TidelogError) throw error
  return false
}

async function limitConcurrency<T> (work: () => Promise<T>): Promise<T> {
  if (running >= concurrencyMax) {
    if (waiting.length >= waitingMax) throw new TidelogError('OVERLOADED', undefined, { retryAfterMs: 5_000 })
    await new Promise<void>(resolve => { waiting.push(resolve) })
  } else {
    running++
  }
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}
