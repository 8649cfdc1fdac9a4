import type { IncomingMessage } from 'node:http'
import fp from 'fastify-plugin'
import { addressKey, clientAddress } from '../src/addresses.ts'
import { type Config, trustedProxies } from '../src/config.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The key under which a request or handshake counts by address: an IPv4 address or an IPv6 network. */
    addressOf: (request: IncomingMessage) => string
  }
}

/** Decorates `fastify.addressOf`: REST and sockets read X-Forwarded-For by the same rule. */
export default fp(async function addresses (app, config: Config) {
  const trust = trustedProxies(config)
  app.decorate('addressOf', request => addressKey(clientAddress(request, trust)))
}, { name: 'addresses' })
