import { negotiate } from '@fastify/accept-negotiator'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import zlib from 'node:zlib'

/** Bytes from which an answer is compressed: a smaller one fits in a packet or two either way. */
const bytesMin = 1_024
/**
 * Answers that are compressed at once; further ones go plain. It is the number of threads that Node compresses with:
 * behind a queue of them, an answer would come later than a plain one.
 */
const atOnceMax = 4

const {
  BROTLI_PARAM_QUALITY: quality, BROTLI_PARAM_LGWIN: windowBits, BROTLI_PARAM_SIZE_HINT: sizeHint
} = zlib.constants

/** A list of 50 conversations becomes a fifth. Higher levels need twice the time for another twentieth. */
const compress = {
  br (bytes: Buffer, done: zlib.CompressCallback): void {
    zlib.brotliCompress(bytes, { params: { [quality]: 3, [windowBits]: 18, [sizeHint]: bytes.length } }, done)
  },
  gzip (bytes: Buffer, done: zlib.CompressCallback): void {
    zlib.gzip(bytes, { level: 1 }, done)
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False: the answers of this route are never compressed, because they may hold secrets. */
    compresses?: boolean
  }
}

/**
 * Compresses answers for clients that ask for it, on Node's threads.
 *
 * `@fastify/compress` compresses on the main thread, or through streams, which cost the main thread ten times as much
 * as the single call here (0.7 ms for 55 KB); and it has no bound on how many it compresses at once.
 */
export default fp(async function compression (app) {
  let running = 0

  app.addHook('onSend', (request, reply, payload: unknown, done) => {
    if (!isCompressible(request, reply, payload)) return done(null, payload)
    // Even if this answer goes plain: a cache must not give a compressed one to a client that cannot read it.
    addVary(reply)
    const coding = codingFor(request)
    if (coding === null || request.method === 'HEAD' || running >= atOnceMax) return done(null, payload)
    running++
    compress[coding](typeof payload === 'string' ? Buffer.from(payload) : payload, (error, bytes) => {
      running--
      if (error !== null) return done(null, payload)
      reply.header('content-encoding', coding).removeHeader('content-length')
      weakenEtag(reply)
      done(null, bytes)
    })
  })
}, { name: 'compression' })

/** The coding that the client prefers; null: it reads none. */
function codingFor ({ headers }: FastifyRequest): keyof typeof compress | null {
  return negotiate(String(headers['accept-encoding'] ?? ''), ['br', 'gzip']) as keyof typeof compress | null
}

function isCompressible (request: FastifyRequest, reply: FastifyReply, payload: unknown): payload is string | Buffer {
  if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return false
  return Buffer.byteLength(payload) >= bytesMin && isText(reply) && !reply.hasHeader('content-encoding') &&
    request.routeOptions.config.compresses !== false
}

/** Pictures and the like are compressed already. */
function isText (reply: FastifyReply): boolean {
  return /^(?:text\/|application\/(?:json|javascript|yaml))/.test(String(reply.getHeader('content-type')))
}

function addVary (reply: FastifyReply): void {
  const vary = reply.getHeader('vary')
  if (vary === undefined) reply.header('vary', 'accept-encoding')
  else if (!/accept-encoding/i.test(String(vary))) reply.header('vary', `${String(vary)}, accept-encoding`)
}

/** A strong ETag stands for these very bytes. */
function weakenEtag (reply: FastifyReply): void {
  const etag = reply.getHeader('etag')
  if (typeof etag === 'string' && !etag.startsWith('W/')) reply.header('etag', `W/${etag}`)
}
