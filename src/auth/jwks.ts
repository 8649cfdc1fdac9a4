import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { TidelogError } from '../errors.ts'
import { algorithmOf, type PublicAlgorithm, toPem } from './keys.ts'

interface PublishedKey {
  kid: string | undefined
  algorithm: PublicAlgorithm
  pem: string
}

export interface JwksOptions {
  /** Milliseconds for which the published set is cached. */
  believedMs?: number
  /** Minimum milliseconds between two requests, so that tokens with invented key ids cannot cause a flood of them. */
  pauseMs?: number
  timeoutMs?: number
  now?: () => number
  onError?: (error: unknown) => void
}

/**
 * The keys that a host application publishes. One request at a time fetches the whole set. An unknown key id (a new
 * key) fetches it again. While the address does not answer, the last set is used.
 */
export class JwkSet {
  private readonly url: string
  private readonly options: Required<JwksOptions>
  private keys: PublishedKey[] | undefined
  private triedAt = -Infinity
  private fetchedAt = -Infinity
  private fetching: Promise<void> | undefined

  constructor (url: string, options: JwksOptions = {}) {
    this.url = url
    this.options = {
      believedMs: 600_000, pauseMs: 5_000, timeoutMs: 5_000, now: Date.now, onError: () => {}, ...options
    }
  }

  /**
   * The PEM of the key that a token's header names. A token without a key id is accepted if exactly one key fits.
   * @throws TidelogError INVALID_TOKEN without such a key, UNAVAILABLE until a set could be fetched.
   */
  async pem (algorithm: string, kid: string | undefined): Promise<string> {
    const now = this.options.now()
    if (now - this.fetchedAt >= this.options.believedMs) await this.refresh()
    let found = this.find(algorithm, kid)
    if (found === undefined) {
      await this.refresh()
      found = this.find(algorithm, kid)
    }
    if (found !== undefined) return found.pem
    if (this.keys === undefined) {
      throw new TidelogError('UNAVAILABLE', 'The keys of the host application are not available', {
        retryAfterMs: this.options.pauseMs
      })
    }
    throw new TidelogError('INVALID_TOKEN')
  }

  private find (algorithm: string, kid: string | undefined): PublishedKey | undefined {
    const fitting =
      this.keys?.filter(key => key.algorithm === algorithm && (kid === undefined || key.kid === kid)) ?? []
    return kid !== undefined || fitting.length === 1 ? fitting[0] : undefined
  }

  private async refresh (): Promise<void> {
    if (this.fetching === undefined) {
      const now = this.options.now()
      if (now - this.triedAt < this.options.pauseMs) return
      this.triedAt = now
      this.fetching = this.fetch().finally(() => { this.fetching = undefined })
    }
    await this.fetching
  }

  private async fetch (): Promise<void> {
    try {
      const response = await fetch(this.url, {
        headers: { accept: 'application/json' }, signal: AbortSignal.timeout(this.options.timeoutMs)
      })
      if (!response.ok) throw new Error(`The key server answered ${response.status}`)
      const body = await response.json() as { keys?: unknown }
      if (!Array.isArray(body.keys)) throw new Error('The key server answered without keys')
      this.keys = body.keys.flatMap(readKey)
      this.fetchedAt = this.options.now()
    } catch (error) {
      this.options.onError(error)
    }
  }
}

/** Skips a key of an unsupported kind, or one that is not for signatures, and keeps the others. */
function readKey (value: unknown): PublishedKey[] {
  if (typeof value !== 'object' || value === null) return []
  const jwk = value as Record<string, unknown>
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') return []
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
    const algorithm = algorithmOf(key)
    if (algorithm === undefined || (jwk['alg'] !== undefined && jwk['alg'] !== algorithm)) return []
    return [{ kid: typeof jwk['kid'] === 'string' ? jwk['kid'] : undefined, algorithm, pem: toPem(key) }]
  } catch {
    return []
  }
}
