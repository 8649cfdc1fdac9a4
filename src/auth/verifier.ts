import { LRUCache } from 'lru-cache'
import { upTo } from '../lib/up-to.ts'
import { TidelogError } from '../errors.ts'
import type { Claims } from './identity.ts'

type Verify = (token: string) => object | Promise<object>

/** Verified tokens that are cached, so that most requests need no signature check. */
const rememberedMax = 20_000
/** Milliseconds for which a verified token is cached before its key is checked again. */
const believedMs = 60_000

/** Longest token that is accepted, in characters. */
const tokenCharsMax = 8_192

/**
 * Passes a token only to the verifier of the algorithm in its header. An algorithm without a key of its own (such as
 * `none`) is refused before any key is used.
 */
export class TokenVerifier {
  private readonly byAlgorithm = new Map<string, Verify[]>()
  /** Algorithms by the header's text; an issuer uses one or a few. */
  private readonly algorithms = new LRUCache<string, string>({ max: 1_000 })
  private readonly remembered = new LRUCache<string, Remembered>(upTo(rememberedMax))
  private readonly now: () => number

  /** @param now milliseconds since 1970 */
  constructor (now = Date.now) {
    this.now = now
  }

  /** If an algorithm has several verifiers (a public key beside a published set), they are tried in turn. */
  accept (algorithm: string, verify: Verify): void {
    this.byAlgorithm.set(algorithm, [...this.byAlgorithm.get(algorithm) ?? [], verify])
  }

  /** @throws TidelogError INVALID_TOKEN, or UNAVAILABLE if the keys could not be fetched. */
  async verify (token: string): Promise<Claims> {
    const remembered = this.remembered.get(token)
    const now = this.now()
    if (remembered !== undefined && now < remembered.untilMs) return remembered.claims
    if (token.length > tokenCharsMax) throw new TidelogError('INVALID_TOKEN')
    const verifiers = this.byAlgorithm.get(this.algorithm(token))
    let refusal: TidelogError | undefined
    for (const verify of verifiers ?? []) {
      try {
        const claims = await verify(token) as Claims
        const { exp } = claims
        this.remembered.set(token, {
          claims, untilMs: Math.min(now + believedMs, typeof exp === 'number' ? exp * 1_000 : Infinity)
        })
        return claims
      } catch (error) {
        const unavailable = unavailability(error)
        if (unavailable !== undefined) refusal = unavailable
      }
    }
    throw refusal ?? new TidelogError('INVALID_TOKEN')
  }

  private algorithm (token: string): string {
    const text = token.slice(0, Math.max(0, token.indexOf('.')))
    const known = this.algorithms.get(text)
    if (known !== undefined) return known
    let algorithm = ''
    try {
      const header = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as { alg?: unknown } | null
      if (typeof header?.alg === 'string') algorithm = header.alg
    } catch {
      // No header: no algorithm.
    }
    if (this.byAlgorithm.has(algorithm)) this.algorithms.set(text, algorithm)
    return algorithm
  }
}

interface Remembered {
  claims: Claims
  /** Milliseconds since 1970. */
  untilMs: number
}

/** If a key could not be fetched, the token may still be valid. */
function unavailability (error: unknown): TidelogError | undefined {
  const cause = (error as { originalError?: unknown } | null)?.originalError
  return cause instanceof TidelogError && cause.code === 'UNAVAILABLE' ? cause : undefined
}
