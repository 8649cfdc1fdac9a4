import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

export interface Balancer {
  url: string
  /** How many connections each server was given. */
  given: readonly number[]
}

/** Gives each new connection to the first server that says that it is ready, as a load balancer does. */
export async function startBalancer (
  t: { teardown: (end: () => unknown) => void }, urls: readonly string[]
): Promise<Balancer> {
  const given = urls.map(() => 0)
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    keep(client)
    void firstReady(urls).then(index => {
      if (index === undefined) return client.destroy()
      given[index]!++
      const target = connect(Number(new URL(urls[index]!).port), '127.0.0.1')
      keep(target)
      client.pipe(target)
      target.pipe(client)
      client.on('close', () => { target.destroy() })
      target.on('close', () => { client.destroy() })
    })
  })
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => { sockets.delete(socket) })
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, given }
}

async function firstReady (urls: readonly string[]): Promise<number | undefined> {
  for (const [index, url] of urls.entries()) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200) return index
  }
  return undefined
}
