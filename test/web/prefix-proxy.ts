import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'

interface Suite { teardown: (end: () => Promise<unknown>) => void }

export interface PrefixProxy {
  /** Of the app, ending in the path and a slash. */
  url: string
  /** Changes what the server answers at a path of the app. */
  change: (path: string, change: (body: string) => string) => void
}

/** A proxy as operators run one: it serves a server under a path, and passes requests on without that path. */
export async function startPrefixProxy (t: Suite, target: string, prefix: string): Promise<PrefixProxy> {
  const { hostname, port } = new URL(target)
  const changes = new Map<string, (body: string) => string>()
  const inside = (url = '') => url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : undefined

  const proxy = createServer((incoming, outgoing) => {
    const path = inside(incoming.url)
    if (path === undefined) {
      outgoing.writeHead(404).end()
      return
    }
    const change = changes.get(path)
    const { 'if-none-match': ___, ...unconditional } = incoming.headers
    const headers = change === undefined ? incoming.headers : { ...unconditional, 'accept-encoding': 'identity' }
    const forward = request({ hostname, port, path, method: incoming.method, headers }, answer => {
      if (change === undefined) {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
        return
      }
      let body = ''
      answer.setEncoding('utf8').on('data', (part: string) => { body += part }).on('end', () => {
        const { 'content-length': _, etag: __, ...rest } = answer.headers
        outgoing.writeHead(answer.statusCode ?? 502, rest).end(change(body))
      })
    })
    forward.on('error', () => { outgoing.destroy() })
    incoming.pipe(forward)
  })
  proxy.on('upgrade', (incoming, socket) => {
    const path = inside(incoming.url)
    if (path === undefined) return socket.destroy()
    const forward = connect(Number(port), hostname, () => {
      const { rawHeaders } = incoming
      const lines = rawHeaders.flatMap((name, at) => at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1] ?? ''}`] : [])
      forward.write(`${incoming.method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
      forward.pipe(socket).pipe(forward)
    })
    for (const one of [forward, socket]) {
      one.on('error', () => {
        forward.destroy()
        socket.destroy()
      })
    }
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(async () => {
    proxy.closeAllConnections()
    await new Promise(resolve => proxy.close(resolve))
  })
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${prefix}/`,
    change: (path, change) => { changes.set(path, change) }
  }
}
