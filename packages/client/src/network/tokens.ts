import { TidelogError } from '../errors.ts'
import type { Storage, StoredSession } from '../storage/storage.ts'
import type { Clock } from '../types.ts'

/** A new pair of tokens, as the server gives it. */
export interface Grant {
  token: string
  refreshToken: string
  expiresAt: string
}

export interface TokenOptions {
  storage: Storage
  clock: Clock
  getToken?: ((stale?: boolean) => Promise<string>) | undefined
  /** One at a time over all tabs. */
  exclusively: <T>(work: () => Promise<T>) => Promise<T>
  refresh: (refreshToken: string) => Promise<Grant>
  /** The session was changed: here, or it was found changed in the storage. */
  onSession: (session: StoredSession | null) => void
}

/** Renewed when so much of its life is over, so that no call has to wait for it. */
const renewAt = 0.8

/**
 * The tokens of the session. One refresh is under way at a time, over all tabs; what another tab has stored is taken
 * instead. After a lost answer the same refresh token is sent again: it stays good until its successor is used.
 */
export class Tokens {
  private readonly options: TokenOptions
  private session: StoredSession | null = null
  private renewing: Promise<string> | undefined
  private hostToken: string | undefined

  constructor (options: TokenOptions) {
    this.options = options
  }

  get current (): StoredSession | null {
    return this.session
  }

  /** Takes over what is stored. */
  async load (): Promise<StoredSession | null> {
    this.session = await this.options.storage.session()
    return this.session
  }

  async store (session: StoredSession | null): Promise<void> {
    this.session = session
    this.hostToken = undefined
    await this.options.storage.setSession(session)
    this.options.onSession(session)
  }

  async token (): Promise<string> {
    const { clock, getToken } = this.options
    if (getToken !== undefined) return this.hostToken ?? await this.ask(getToken, false)
    const { token, issuedAt = 0, expiresAt = Infinity, expired } = this.session ?? {}
    if (token === undefined) throw new TidelogError({ code: 'NO_SESSION' })
    if (expired === true) throw new TidelogError({ code: 'INVALID_REFRESH_TOKEN', message: 'The session has expired', status: 401 })
    const now = clock.now()
    if (now >= expiresAt) return await this.renew(token)
    if (now >= issuedAt + (expiresAt - issuedAt) * renewAt) this.renew(token).catch(() => {})
    return token
  }

  /** Another token than the refused one. */
  renew (refused: string): Promise<string> {
    const { getToken } = this.options
    this.renewing ??= (getToken === undefined ? this.options.exclusively(() => this.refresh(refused)) : this.ask(getToken, true))
      .finally(() => { this.renewing = undefined })
    return this.renewing
  }

  private async ask (getToken: (stale?: boolean) => Promise<string>, stale: boolean): Promise<string> {
    try {
      this.hostToken = await getToken(stale)
      return this.hostToken
    } catch (cause) {
      throw cause instanceof TidelogError ? cause : new TidelogError({ code: 'INVALID_TOKEN', message: 'The host application gave no token', retryable: true, cause })
    }
  }

  private async refresh (refused: string): Promise<string> {
    const { storage, refresh, onSession } = this.options
    const stored = await storage.session()
    if (stored === null || stored.user.id !== this.session?.user.id) throw new TidelogError({ code: 'NO_SESSION' })
    if (stored.token !== undefined && stored.token !== refused && stored.expired !== true) {
      this.session = stored
      onSession(stored)
      return stored.token
    }
    if (stored.refreshToken === undefined) return await this.expire(stored)
    try {
      const grant = await refresh(stored.refreshToken)
      await this.store({ user: stored.user, ...this.lifeOf(grant) })
      return grant.token
    } catch (error) {
      if (error instanceof TidelogError && error.status === 401) return await this.expire(stored)
      throw error
    }
  }

  /** What is stored of the user stays. */
  private async expire (stored: StoredSession): Promise<never> {
    await this.store({ ...stored, expired: true })
    throw new TidelogError({ code: 'INVALID_REFRESH_TOKEN', message: 'The session has expired', status: 401 })
  }

  /** By this device's clock, which may be wrong: a token tells how long it lives. */
  lifeOf ({ token, refreshToken, expiresAt }: Grant): Omit<StoredSession, 'user'> {
    const now = this.options.clock.now()
    const { iat = NaN, exp = NaN } = claimsOf(token)
    const lifeMs = Number.isNaN(exp - iat) ? Math.max(0, Date.parse(expiresAt) - now) : (exp - iat) * 1_000
    return { token, refreshToken, issuedAt: now, expiresAt: now + lifeMs }
  }
}

/** What a token says; nothing, if it is none of the server's. */
export function claimsOf (token: string): { id?: string, iat?: number, exp?: number } {
  try {
    return JSON.parse(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'))) as object
  } catch {
    return {}
  }
}
