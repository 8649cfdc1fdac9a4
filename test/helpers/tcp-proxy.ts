import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

/** Passes bytes of a connection on, or ends it. */
export type Filter = (chunk: Buffer, write: (bytes: Buffer) => void, end: () => void) => void

/** What becomes of the client's bytes and of the server's, of one connection. */
interface Filters {
  up?: Filter
  down?: Filter
}

const pass: Filter = (chunk, write) => { write(chunk) }

/** A proxy in front of a server on this machine. */
export interface TcpProxy {
  port: number
  /** Milliseconds by which everything is late, in both directions, from now on. */
  delay: (ms: number) => void
  /** Holds back what is sent, also by new connections. */
  hang: () => void
  /** Passes what was held back, and what comes. */
  resume: () => void
  /** Nothing passes any more, and no connection ends: a cut cable. */
  cut: () => void
  /** Ends the connections of before, and passes new ones. */
  mend: () => void
}

interface Suite { teardown: (end: () => unknown) => void }

/** @param filtersOf called for each connection */
export async function startProxy (t: Suite, port: number, filtersOf: () => Filters = () => ({})): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let delayMs = 0
  let isCut = false
  let isHanging = false
  const server = createServer(client => {
    const target = connect(port, '127.0.0.1')
    const { up = pass, down = pass } = filtersOf()
    const end = () => {
      client.destroy()
      target.destroy()
    }
    for (const [from, to, filter] of [[client, target, up], [target, client, down]] as const) {
      sockets.add(from)
      from.setNoDelay(true)
      const write = (bytes: Buffer) => { if (!isCut) to.write(bytes) }
      from.on('data', chunk => {
        if (isCut) return
        if (delayMs === 0) filter(chunk, write, end)
        else setTimeout(() => { filter(chunk, write, end) }, delayMs)
      })
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        if (!isCut) to.destroy()
      })
      if (isHanging) from.pause()
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
    hang: () => {
      isHanging = true
      for (const socket of sockets) socket.pause()
    },
    resume: () => {
      isHanging = false
      for (const socket of sockets) socket.resume()
    },
    cut: () => { isCut = true },
    mend: () => {
      isCut = false
      endAll()
    }
  }
}

/** A proxy in front of a database, and the URL of the database through it. */
export async function startDatabaseProxy (
  t: Suite, uri: string, filtersOf?: () => Filters
): Promise<TcpProxy & { url: string }> {
  const proxy = await startProxy(t, Number(new URL(uri).port), filtersOf)
  return { ...proxy, url: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true` }
}
