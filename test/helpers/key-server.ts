import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface KeyServer {
  url: string
  /** Answered requests. */
  requests: number
  status: number
  keys: unknown[]
}

/** Serves a host application's public keys on a free port. */
export async function startKeyServer (t: { teardown: (end: () => void) => void }, keys: unknown[]): Promise<KeyServer> {
  const state: KeyServer = { url: '', requests: 0, status: 200, keys }
  const server = createServer((_request, response) => {
    state.requests++
    response.writeHead(state.status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: state.keys }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/.well-known/jwks.json`
  return state
}
