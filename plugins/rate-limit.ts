import fp from 'fastify-plugin'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Config } from '../src/config.ts'
import { TidelogError } from '../src/errors.ts'

/** Counts events of a key in a window. */
export interface Limiter {
  /** @throws TidelogError RATE_LIMITED, with the time after which there is room again. */
  consume: (key: string) => Promise<void>
  /** Refuses like `consume`, without counting. */
  check: (key: string) => Promise<void>
}

export interface Limiters {
  /** Failed logins, by account and address. */
  login: Limiter
  /** Registrations, by address. */
  register: Limiter
  /** Messages sent over any transport, by user. */
  sends: Limiter
  /** REST requests, by user (by address before authentication). */
  requests: Limiter
}

declare module 'fastify' {
  interface FastifyInstance {
    limiters: Limiters
  }
}

/** Decorates `fastify.limiters`. They count in this process. */
export default fp(async function rateLimit (app, config: Config) {
  app.decorate('limiters', {
    login: limiter(config.RATE_LIMIT_LOGIN, 60),
    register: limiter(config.RATE_LIMIT_REGISTER, 3_600),
    sends: limiter(config.RATE_LIMIT_SENDS, 10),
    requests: limiter(config.RATE_LIMIT_REQUESTS, 10)
  })
}, { name: 'rate-limit' })

function limiter (points: number, duration: number): Limiter {
  if (points === 0) return { consume: async () => {}, check: async () => {} }
  const memory = new RateLimiterMemory({ points, duration })
  return {
    async consume (key) {
      try {
        await memory.consume(key)
      } catch (error) {
        throw error instanceof RateLimiterRes ? limited(error.msBeforeNext) : error
      }
    },
    async check (key) {
      const state = await memory.get(key)
      if (state !== null && state.consumedPoints >= points) throw limited(state.msBeforeNext)
    }
  }
}

function limited (retryAfterMs: number): TidelogError {
  return new TidelogError('RATE_LIMITED', undefined, { retryAfterMs })
}
