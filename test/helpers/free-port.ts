import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A port that nobody listens on, below those that the system gives to connections and to port 0. So nobody else gets it
 * while its server is away, and a server that starts again has the same address.
 */
export async function freePort (): Promise<number> {
  for (;;) {
    const port = randomInt(11_000, 30_000)
    const probe = createServer().listen(port, '127.0.0.1')
    try {
      await once(probe, 'listening')
    } catch {
      continue
    }
    probe.close()
    await once(probe, 'close')
    return port
  }
}
