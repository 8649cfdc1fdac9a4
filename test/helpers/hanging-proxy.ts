import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

/** A proxy to a database that can hang: it accepts connections and forwards nothing. */
export interface HangingProxy {
  url: string
  hang: () => void
  /** Forwards the bytes held back, and later ones. */
  resume: () => void
}

/** @param uri of an engine on a TCP port */
export async function hangingProxy (t: { teardown: (end: () => unknown) => void }, uri: string): Promise<HangingProxy> {
  const port = Number(/:(\d+)\//.exec(uri)![1])
  const sockets = new Set<Socket>()
  let isHanging = false
  const server = createServer(socket => {
    const database = connect(port, '127.0.0.1')
    for (const [from, to] of [[socket, database], [database, socket]] as const) {
      sockets.add(from)
      from.on('data', chunk => { to.write(chunk) })
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      if (isHanging) from.pause()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    url: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/?directConnection=true`,
    hang: () => {
      isHanging = true
      for (const socket of sockets) socket.pause()
    },
    resume: () => {
      isHanging = false
      for (const socket of sockets) socket.resume()
    }
  }
}
