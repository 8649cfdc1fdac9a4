import { later } from './later.ts'
import { makeClient } from './shared.ts'
import type { Client, ClientOptions } from './types.ts'

export type * from './types.ts'
export { TidelogError } from './errors.ts'
export { memoryStorage } from './storage/memory.ts'

/** Makes a client. Nothing is asked for or connected before `resume`, `login` and `start`. */
export function createClient (options: ClientOptions = {}): Client {
  return makeClient(options, later)
}
