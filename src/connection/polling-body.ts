import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ErrorCode, TidelogError, failureBody, tooLargeText } from '../errors.ts'
import type { InboundQueue, RawPacket } from './inbound-queue.ts'

/** What the reading of a POST needs of an Engine.IO transport. */
export interface PollingTransport {
  onError: (message: string) => void
  headers: (request: IncomingMessage, headers: Record<string, string>) => Record<string, string>
  /** The POST that is being answered. */
  dataReq?: IncomingMessage | null
  dataRes?: ServerResponse | null
}

/** Separates the packets in an Engine.IO body. */
const separator = '\x1e'

/** Reads the body of a POST as Engine.IO would, but refuses with an answer where Engine.IO closes the connection. */
export function readBody (
  transport: PollingTransport, request: IncomingMessage, response: ServerResponse, bytesMax: number,
  onBody: (body: string) => void
): void {
  if (transport.dataReq != null) {
    transport.onError('data request overlap from client')
    refuse(transport, request, response, 'VALIDATION', 'A connection has one POST at a time')
    return
  }
  if (request.headers['content-type'] === 'application/octet-stream') {
    refuse(transport, request, response, 'UNSUPPORTED_MEDIA_TYPE', 'Send packets as text')
    return
  }
  transport.dataReq = request
  transport.dataRes = response
  const chunks: Buffer[] = []
  let bytes = 0
  const done = () => {
    request.off('data', onData).off('end', onEnd).off('close', onClose)
  }
  const onClose = () => {
    done()
    transport.dataReq = transport.dataRes = null
    transport.onError('data request connection closed prematurely')
  }
  const onData = (chunk: Buffer) => {
    bytes += chunk.length
    chunks.push(chunk)
    if (bytes <= bytesMax) return
    done()
    transport.dataReq = transport.dataRes = null
    refuse(transport, request, response, 'TOO_LARGE', tooLargeText(bytesMax))
  }
  const onEnd = () => {
    done()
    onBody(Buffer.concat(chunks).toString())
  }
  request.on('data', onData).on('end', onEnd).on('close', onClose)
}

/** Counts the packets of a body before it parses any, and answers when they are passed on. */
export function takeBody (
  transport: PollingTransport, inbound: InboundQueue, body: string, pass: (data: RawPacket) => void
): void {
  const request = transport.dataReq!
  const response = transport.dataRes!
  // A transport that closes cuts off its POST. This one must be answered before.
  transport.dataReq = transport.dataRes = null
  if (inbound.isEnded) {
    refuse(transport, request, response, 'VALIDATION', 'The connection is closed')
    return
  }
  const retryAfterMs = inbound.refusesMany(countPackets(body))
  if (retryAfterMs > 0) {
    refuse(transport, request, response, 'RATE_LIMITED', undefined, retryAfterMs)
    return
  }
  transport.dataReq = request
  transport.dataRes = response
  for (const packet of body.split(separator)) {
    const taken = inbound.take(packet, pass)
    if (taken !== undefined) pass(taken)
  }
  const accept = () => {
    transport.dataReq = transport.dataRes = null
    if (response.headersSent || response.destroyed) return
    response.writeHead(200, transport.headers(request, { 'Content-Type': 'text/html', 'Content-Length': '2' }))
    response.end('ok')
  }
  const idle = inbound.idle()
  if (idle === undefined) accept()
  else void idle.then(accept)
}

function countPackets (body: string): number {
  let packets = 1
  for (let at = body.indexOf(separator); at >= 0; at = body.indexOf(separator, at + 1)) packets++
  return packets
}

function refuse (
  transport: PollingTransport, request: IncomingMessage, response: ServerResponse,
  code: ErrorCode, message?: string, retryAfterMs?: number
): void {
  const error = new TidelogError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs })
  writeFailure(response, error, transport.headers(request, {}))
}

/** Answers an Engine.IO request with a failure body. The rest of the request's body is read and dropped. */
export function writeFailure (
  response: ServerResponse, error: TidelogError, headers: Record<string, string> = {}
): void {
  const body = JSON.stringify(failureBody(error))
  const { retryAfterMs } = error
  response.writeHead(error.status, {
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    ...(retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) })
  })
  response.end(body)
}
