import type { Socket } from 'socket.io-client'
import type { Request } from './http-load.ts'

/**
 * Counts the requests that sockets get acknowledged in `seconds`. Each socket has one on its way, and begins its
 * requests anew when it has sent all.
 * @param requests of each socket's user; the bodies are sent as payloads of `event`
 */
export async function socketLoad (
  sockets: ReadonlyArray<{ socket: Socket, requests: readonly Request[] }>, event: string, seconds: number
): Promise<{ operations: number, seconds: number }> {
  const start = performance.now()
  const end = start + seconds * 1_000
  let operations = 0
  await Promise.all(sockets.map(async ({ socket, requests }) => {
    const bodies = requests.map(({ body }) => JSON.parse(body!) as unknown)
    for (let next = 0; performance.now() < end; next++) {
      const answer = await socket.emitWithAck(event, bodies[next % bodies.length]) as { success: boolean }
      if (!answer.success) throw new Error(`${event} was answered ${JSON.stringify(answer)}`)
      operations++
    }
  }))
  return { operations, seconds: (performance.now() - start) / 1_000 }
}
