import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, type Socket } from 'socket.io'
import { type Socket as Upstream, io } from 'socket.io-client'

// What goes through is whatever the server and the kit say.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Any = any

export interface Request {
  method: string
  path: string
  headers: Record<string, string>
  body: string
}

export interface Response {
  status: number
  headers: Record<string, string>
  text: string
}

/** What a mutant can do besides. */
export interface Reach {
  /** All sockets of the kit. */
  everybody: Server
  /** Calls the real server. */
  call: (method: string, path: string, token: string, body?: unknown) => Promise<Any>
}

/** A server that is wrong in one way: what it changes on the way between the kit and a server that is right. */
export interface Mutant {
  request?: (request: Request) => Request
  /** The answer to a call; `body` is the parsed one, undefined where there is none. */
  response?: (request: Request, response: Response, body: Any) => Response
  /** What a client event is acknowledged with. */
  ack?: (event: string, data: Any, ack: Any) => Any
  /** What a client emits; true: it goes no further. */
  emitted?: (event: string, data: Any, socket: Socket, reach: Reach) => boolean | void
  /** Events for the client in the place of one. */
  told?: (event: string, payload: Any, socket: Socket, reach: Reach) => Array<[string, Any]>
  /** What a socket says at its handshake. */
  auth?: (auth: Any) => Any
  /** The text with which a socket is refused. */
  refusal?: (text: string) => string
  /** Sockets that the server closes stay open. */
  keepsSockets?: boolean
}

export const json = (response: Response, body: unknown, status = response.status): Response => ({ ...response, status, text: JSON.stringify(body) })

/** Stands in front of a server. @returns its address */
export async function startProxy (t: { teardown: (end: () => Promise<void>) => void }, target: string, mutant: Mutant = {}): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      let body = ''
      for await (const chunk of incoming) body += String(chunk)
      const aborted = new AbortController()
      outgoing.once('close', () => { aborted.abort() })
      const given: Request = { method: incoming.method ?? 'GET', path: incoming.url ?? '/', headers: pick(incoming.headers, ['authorization', 'content-type', 'if-none-match']), body }
      const request = mutant.request?.(given) ?? given
      const answer = await fetch(target + request.path, {
        method: request.method, headers: request.headers, signal: aborted.signal, ...(['GET', 'HEAD'].includes(request.method) || request.body === '' ? {} : { body: request.body })
      })
      const response: Response = { status: answer.status, headers: pick(Object.fromEntries(answer.headers), ['content-type', 'etag', 'retry-after']), text: await answer.text() }
      const { status, headers, text } = mutant.response?.(request, response, parse(response.text)) ?? response
      outgoing.writeHead(status, headers).end(text)
    })().catch(() => { outgoing.destroy() })
  })
  const everybody = new Server(server, { maxHttpBufferSize: 1e7 })
  const reach: Reach = {
    everybody,
    call: async (method, path, token, body) => parse(await (await fetch(target + path, {
      method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })).text())
  }
  everybody.use((socket, next) => {
    const { auth } = socket.handshake
    const upstream = io(target, { auth: mutant.auth?.(auth) ?? auth, transports: ['websocket'], reconnection: false, forceNew: true })
    join(socket, upstream, mutant, reach)
    upstream.once('connect', () => { next() })
    upstream.once('connect_error', error => { next(new Error(mutant.refusal?.(error.message) ?? error.message)) })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    await everybody.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function join (socket: Socket, upstream: Upstream, mutant: Mutant, reach: Reach): void {
  upstream.onAny((event: string, payload: Any) => {
    for (const [name, told] of mutant.told?.(event, payload, socket, reach) ?? [[event, payload] as [string, Any]]) socket.emit(name, told)
  })
  upstream.once('disconnect', () => { if (mutant.keepsSockets !== true) socket.disconnect(true) })
  socket.once('disconnect', () => { upstream.disconnect() })
  socket.onAny((event: string, ...given: Any[]) => {
    const callback = typeof given.at(-1) === 'function' ? given.pop() as (answer: Any) => void : undefined
    if (mutant.emitted?.(event, given[0], socket, reach) === true) return
    if (callback === undefined) upstream.emit(event, ...given)
    else upstream.emit(event, ...given, (answer: Any) => { callback(mutant.ack === undefined ? answer : mutant.ack(event, given[0], answer)) })
  })
}

function pick (headers: NodeJS.Dict<string | string[]>, names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap(name => headers[name] === undefined ? [] : [[name, String(headers[name])]]))
}

function parse (text: string): Any {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
