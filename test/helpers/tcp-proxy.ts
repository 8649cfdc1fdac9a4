import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

/** A proxy in front of a server on this machine. */
export interface TcpProxy {
  port: number
  /** Milliseconds by which everything is late, in both directions, from now on. */
  delay: (ms: number) => void
  /** Nothing passes any more, and no connection ends: a cut cable. */
  cut: () => void
  /** Ends the connections of before, and passes new ones. */
  mend: () => void
}

export async function startProxy (t: { teardown: (end: () => unknown) => void }, port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let delayMs = 0
  let isCut = false
  const server = createServer(client => {
    const target = connect(port, '127.0.0.1')
    for (const [from, to] of [[client, target], [target, client]] as const) {
      sockets.add(from)
      from.on('data', chunk => {
        if (isCut) return
        if (delayMs === 0) to.write(chunk)
        else setTimeout(() => { if (!isCut) to.write(chunk) }, delayMs)
      })
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        if (!isCut) to.destroy()
      })
    }
  })
  const endAll = () => { for (const socket of sockets) socket.destroy() }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    isCut = false
    endAll()
  })
  return {
    port: (server.address() as AddressInfo).port,
    delay: ms => { delayMs = ms },
    cut: () => { isCut = true },
    mend: () => {
      isCut = false
      endAll()
    }
  }
}
