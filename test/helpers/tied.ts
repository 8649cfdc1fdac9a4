import { existsSync } from 'node:fs'

const setpriv = '/usr/bin/setpriv'

/**
 * A program and its arguments, so that the kernel ends it when this process ends, however that happens: a test that is
 * killed runs no teardown.
 */
export function tied (signal: 'SIGKILL' | 'SIGTERM', program: string, given: readonly string[]): [string, string[]] {
  if (!existsSync(setpriv)) return [program, [...given]]
  return [setpriv, ['--pdeathsig', signal, program, ...given]]
}
