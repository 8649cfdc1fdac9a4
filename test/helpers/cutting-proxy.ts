import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

/** Where a connection is cut: before the commit reaches the database, or before its reply reaches the driver. */
type Cut = 'request' | 'reply'

interface CuttingProxy {
  url: string
  /** Connections that were cut so far. */
  cuts: { request: number, reply: number }
}

/**
 * A proxy to a database that cuts connections in the middle of commits, as a primary does that fails over.
 * @param uri of an engine on a TCP port
 * @param choose gets the number of the commit, and says whether and where to cut
 */
export async function cuttingProxy (
  t: { teardown: (end: () => unknown) => void }, uri: string, choose: (commit: number) => Cut | undefined
): Promise<CuttingProxy> {
  const port = Number(/:(\d+)\//.exec(uri)![1])
  const cuts = { request: 0, reply: 0 }
  let commits = 0
  const open = new Set<{ destroy: () => void }>()
  const server = createServer(socket => {
    const database = connect(port, '127.0.0.1')
    const cut = () => {
      socket.destroy()
      database.destroy()
      open.delete(socket)
    }
    open.add(socket)
    let losesReply = false
    for (const end of [socket, database]) end.on('error', () => {}).on('close', cut)
    socket.on('data', chunk => {
      const where = chunk.includes('commitTransaction') ? choose(commits++) : undefined
      if (where !== undefined) cuts[where]++
      if (where === 'request') return cut()
      losesReply ||= where === 'reply'
      database.write(chunk)
    })
    database.on('data', chunk => {
      if (losesReply) cut()
      else socket.write(chunk)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return { url: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/?directConnection=true`, cuts }
}
