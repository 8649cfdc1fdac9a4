import type { IncomingMessage } from 'node:http'
import fp from 'fastify-plugin'
import { addressKey, clientAddress } from '../src/addresses.ts'
import { type Config, trustedProxies } from '../src/config.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What a request or a handshake counts under where it counts by address: an IPv4 address or an IPv6 network. */
    addressOf: (request: IncomingMessage) => string
  }
}

/** Decorates `fastify.addressOf`, the one reading of X-Forwarded-For for REST and sockets. */
export default fp(async function addresses (app, config: Config) {
  const trust = trustedProxies(config)
  app.decorate('addressOf', request => addressKey(clientAddress(request, trust)))
}, { name: 'addresses' })
