import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

/** Passes the bytes of a connection on. */
type Filter = (chunk: Buffer, write: (bytes: Buffer) => void) => void

const pass: Filter = (chunk, write) => { write(chunk) }

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

/** @param filterOf makes what passes the server's bytes of one connection on */
export async function startProxy (
  t: { teardown: (end: () => unknown) => void }, port: number, filterOf: () => Filter = () => pass
): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let delayMs = 0
  let isCut = false
  const server = createServer(client => {
    const target = connect(port, '127.0.0.1')
    for (const [from, to] of [[client, target], [target, client]] as const) {
      sockets.add(from)
      const write = (bytes: Buffer) => { if (!isCut) to.write(bytes) }
      const filter = from === target ? filterOf() : pass
      from.on('data', chunk => {
        if (isCut) return
        if (delayMs === 0) filter(chunk, write)
        else setTimeout(() => { filter(chunk, write) }, delayMs)
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
