import fp from 'fastify-plugin'
import type { FailureLimiter, FailureLimiters } from '../src/auth/context.ts'
import type { Config } from '../src/config.ts'
import { TidelogError } from '../src/errors.ts'
import { RateCounter } from '../src/lib/rate-counter.ts'

/** Counts a key's events in a window. `consume` and `check` throw RATE_LIMITED, with the time until the window ends. */
interface Limiter extends FailureLimiter {
  /** Adds what another node has counted. */
  add: (key: string, times: number) => void
  /** Calls `tell` with what this process counts, up to the limit. */
  onCounted: (tell: (key: string, times: number) => void) => void
  /** Was the key refused a hundred times, and a tenth of the limit, in this window? */
  isFlooding: (key: string) => boolean
  /** Milliseconds until the key's window ends. */
  waitMs: (key: string) => number
  /** Calls refused so far. */
  readonly refused: number
}

interface Limiters extends FailureLimiters {
  login: Limiter
  loginAddress: Limiter
  loginAccount: Limiter
  /** Registrations, by address. */
  register: Limiter
  /** Messages sent over any transport, by user. */
  sends: Limiter
  /** REST requests, socket events and operations of a push, by user (by address before authentication). */
  requests: Limiter
  /** Searches, by user. */
  search: Limiter
  /** Invitations to rooms by strangers, by the invited user. */
  invitations: Limiter
  /** Socket.IO handshakes, by address. */
  handshakes: Limiter
}

declare module 'fastify' {
  interface FastifyInstance {
    limiters: Limiters
  }
}

/** Decorates `fastify.limiters`. Each process counts for itself, and some limits for all (plugins/shared-limits.ts). */
export default fp(async function rateLimit (app, config: Config) {
  app.decorate('limiters', {
    login: limiter(config.RATE_LIMIT_LOGIN, 60),
    loginAddress: limiter(config.RATE_LIMIT_LOGIN_ADDRESS, 60),
    loginAccount: limiter(config.RATE_LIMIT_LOGIN_ACCOUNT, 900),
    register: limiter(config.RATE_LIMIT_REGISTER, 3_600),
    sends: limiter(config.RATE_LIMIT_SENDS, 10),
    requests: limiter(config.RATE_LIMIT_REQUESTS, 10),
    search: limiter(config.RATE_LIMIT_SEARCH, 60),
    invitations: limiter(
      config.RATE_LIMIT_INVITATIONS, 86_400, 'This user gets too many invitations from people who are strangers to them'
    ),
    handshakes: limiter(config.RATE_LIMIT_HANDSHAKES, 10)
  })
}, { name: 'rate-limit' })

function limiter (max: number, seconds: number, text?: string): Limiter {
  const counter = new RateCounter(max, seconds * 1_000)
  const floodAt = max + Math.max(100, Math.ceil(max / 10))
  let refused = 0
  const refuse = (key: string) => {
    refused++
    return new TidelogError('RATE_LIMITED', text, { retryAfterMs: counter.waitMs(key) })
  }
  let tell = (_key: string, _times: number) => {}
  return {
    add (key, times) {
      if (counter.countOf(key) + times >= 0) counter.add(key, times)
    },
    onCounted (act) { tell = act },
    consume (key) {
      if (counter.add(key) > max) throw refuse(key)
      tell(key, 1)
    },
    check (key) {
      if (max > 0 && counter.countOf(key) >= max) throw refuse(key)
    },
    giveBack (key) {
      if (counter.countOf(key) === 0) return
      counter.add(key, -1)
      tell(key, -1)
    },
    isFlooding: key => max > 0 && counter.countOf(key) > floodAt,
    waitMs: key => counter.waitMs(key),
    get refused () { return refused }
  }
}
