import type { Client } from '../../src/index.ts'

/**
 * Waits until a client that has been started has failed to connect. What a tab needs that leads is loaded before, which
 * takes real time: a clock that a test moves on must stand until then.
 */
export async function firstFailure ({ connection }: Pick<Client, 'connection'>): Promise<void> {
  while (connection.get().error === undefined) await new Promise(resolve => setImmediate(resolve))
}
